import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  RESTATE_VERSION,
  restateBinary,
} from "../../../deploy/workflows/restate/restate_binary.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const LINUX = { os: "linux", arch: "x86_64" };
const PACKAGE = "@restatedev/restate-server-linux-x64";

/** Writes an `npx` that runs `script`; returns a PATH that begins with it. */
function fakeNpx(folder: ReturnType<typeof temporaryFolder>, script: string) {
  const file = folder.write("bin/npx", `#!/bin/sh\n${script}\n`);
  Deno.chmodSync(file, 0o755);
  return `${folder.path}/bin:${Deno.env.get("PATH")}`;
}

Deno.test("restateBinary() returns the file that RESTATE_SERVER names", async () => {
  using folder = temporaryFolder();
  const named = folder.write("restate-server", "");
  const found = await restateBinary({ named, build: LINUX, say: () => {} });
  strictEqual(found, await Deno.realPath(named));
});

Deno.test("restateBinary() refuses a RESTATE_SERVER that is no file", async () => {
  using folder = temporaryFolder();
  for (const named of [folder.path, `${folder.path}/none`]) {
    await rejects(
      restateBinary({ named, build: LINUX, say: () => {} }),
      /RESTATE_SERVER ".*" is no file; set it to the path of restate-server, or unset it/,
    );
  }
});

Deno.test("restateBinary() refuses a platform without a server", async () => {
  await rejects(
    restateBinary({
      named: undefined,
      build: { os: "windows", arch: "x86_64" },
      say: () => {},
    }),
    /no build of its server for windows on x86_64; run task workflows on Linux or macOS/,
  );
});

Deno.test("restateBinary() takes the package from npm's cache, without a download", async () => {
  using folder = temporaryFolder();
  const modules = `${folder.path}/node_modules`;
  const file = folder.write(
    `node_modules/${PACKAGE}/bin/restate-server`,
    "",
  );
  const path = fakeNpx(
    folder,
    `[ "$3" = "${PACKAGE}@${RESTATE_VERSION}" ] || exit 1
[ "$npm_config_offline" = true ] || exit 1
echo "${modules}/.bin:/usr/bin"`,
  );
  const said: string[] = [];
  const found = await restateBinary({
    named: undefined,
    build: LINUX,
    path,
    say: (line) => said.push(line),
  });
  strictEqual(found, file);
  deepStrictEqual(said, []);
});

Deno.test("restateBinary() reports a download, and npm's reason if it fails", async () => {
  using folder = temporaryFolder();
  const path = fakeNpx(folder, "echo 'npm error code ENOTFOUND' >&2; exit 1");
  const said: string[] = [];
  await rejects(
    restateBinary({
      named: undefined,
      build: LINUX,
      path,
      say: (line) => said.push(line),
    }),
    /npm did not bring .*: npm error code ENOTFOUND; connect this machine, or set RESTATE_SERVER/,
  );
  deepStrictEqual(said, [
    `Fetching Restate ${RESTATE_VERSION} from npm: 216 MB, once`,
  ]);
});

Deno.test("restateBinary() states that npx is missing", async () => {
  using folder = temporaryFolder();
  await rejects(
    restateBinary({
      named: undefined,
      build: LINUX,
      path: folder.path,
      say: () => {},
    }),
    /npx was not found; install Node.js, or set RESTATE_SERVER/,
  );
});
