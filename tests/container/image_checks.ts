/**
 * The tests of the image from inside: its content, and the server that runs in
 * it. Started by run.sh.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { CONFIG, contained, innerPid, ROOT } from "./contained.ts";
import { freePort } from "../support/free_port.ts";

const PACKAGES = `${ROOT}/app/node_modules/.deno`;

Deno.test("The image states its entry, and an unprivileged user", () => {
  match(CONFIG.User, /^[1-9]\d*:[1-9]\d*$/);
  strictEqual(CONFIG.Entrypoint[0], "deno");
  strictEqual(CONFIG.StopSignal, "SIGTERM");
  strictEqual(CONFIG.Healthcheck.Test[0], "CMD");
  ok(CONFIG.Env.includes("HOST=0.0.0.0"));
  strictEqual(CONFIG.Labels["org.opencontainers.image.licenses"], "Apache-2.0");
});

Deno.test("The image holds no packages of tests", () => {
  const names = [...Deno.readDirSync(PACKAGES)].map(({ name }) => name);
  const tests =
    /^(openai|ai|@ai-sdk|replicate|fast-check|selfsigned|typescript)\b/;
  deepStrictEqual(names.filter((name) => tests.test(name)), []);
  ok(names.some((name) => name.startsWith("hono@")));
});

Deno.test("The image holds native code for its own system only", () => {
  const native = files(PACKAGES).map(({ path }) => path)
    .filter((path) => /\.(node|dll|dylib|so)(\.\d+)*$/.test(path));
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  deepStrictEqual(
    native.map((path) => path.split("/").slice(-3).join("/")).sort(),
    [`linux/${arch}/libonnxruntime.so.1`, `node/bin/${arch}-linux.node`],
  );
});

Deno.test("The image holds the program, and no unused files", () => {
  deepStrictEqual(
    [...Deno.readDirSync(`${ROOT}/app`)].map(({ name }) => name).sort(),
    "LICENSE NOTICE deno.json deno.lock deploy functions lib models node_modules"
      .split(" "),
  );
  const stray = files(`${ROOT}/app`)
    .filter(({ path }) => /\.(py|map|d\.ts)$/.test(path));
  deepStrictEqual(stray, []);
  const bytes = files(ROOT).reduce((sum, { size }) => sum + size, 0);
  ok(bytes < 450 * 2 ** 20, `${bytes} bytes`);
});

Deno.test("The image is writable by root only", () => {
  const own = files(ROOT).filter(({ path, mode, uid }) =>
    !path.startsWith(`${ROOT}/proc`) && ((mode & 0o002) !== 0 || uid !== 0)
  );
  deepStrictEqual(own.map(({ path }) => path.slice(ROOT.length)), []);
});

Deno.test("The image's entry lists every variable with --help", async () => {
  const { code, stdout } = await contained([...CONFIG.Entrypoint, "--help"])
    .output();
  strictEqual(code, 0);
  match(new TextDecoder().decode(stdout), /^ {2}SHUTDOWN_GRACE_S /m);
});

Deno.test("The image's server draws, captions, is healthy, writes to its cache, and stops", async () => {
  const port = freePort();
  const env = { PORT: String(port) };
  const server = contained(CONFIG.Entrypoint, { env });
  const url = `http://127.0.0.1:${port}`;
  const output = said(server);
  await ready(url, output);
  strictEqual((await get(`${url}/livez`)).status, 200);
  const pid = innerPid(server);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  match(status, /^NSpid:\t\d+\t1$/m);
  match(status, /^Uid:\t65532\t65532\t65532\t65532$/m);
  match(status, /^CapEff:\t0+$/m);

  const drawn = await post(`${url}/v1/generate`, "image/png");
  strictEqual(drawn.status, 200);
  const picture = await drawn.bytes();
  deepStrictEqual([...picture.subarray(1, 4)], [0x50, 0x4e, 0x47]);
  const told = await fetch(`${url}/v1/caption`, {
    method: "POST",
    headers: { "content-type": "image/png", accept: "text/plain" },
    body: picture,
  });
  strictEqual(told.status, 200);
  match(await told.text(), /apple/);

  const health = CONFIG.Healthcheck.Test.slice(1);
  strictEqual((await contained(health, { env }).output()).code, 0);
  const written = ["tmp", "cache"].flatMap((folder) =>
    files(`/proc/${pid}/root/${folder}`).map(({ path }) =>
      path.split("/root/")[1]!
    )
  );
  deepStrictEqual(
    written.filter((path) => !path.startsWith("cache/emu3/jobs.sqlite")),
    [],
  );
  ok(written.length > 0);

  Deno.kill(pid, "SIGTERM");
  strictEqual((await server.status).code, 0);
  match(await output.all, /ready at/);
  // Without a server, the check fails.
  strictEqual((await contained(health, { env }).output()).code, 1);
});

Deno.test("The image's server runs as any user with nothing but /tmp", async () => {
  const port = freePort();
  const server = contained(CONFIG.Entrypoint, {
    env: { PORT: String(port) },
    user: "1000770000:0",
    writable: ["/tmp"],
  });
  const output = said(server);
  const url = `http://127.0.0.1:${port}`;
  await ready(url, output);
  const drawn = await post(`${url}/v1/generate`, "application/json");
  strictEqual(drawn.status, 200);
  await drawn.body?.cancel();
  Deno.kill(innerPid(server), "SIGINT");
  strictEqual((await server.status).code, 0);
  match(await output.all, /jobs are lost with this server/);
});

interface Output {
  readonly all: Promise<string>;
}

/** Returns the output of a program, on both of its channels. */
function said(process: Deno.ChildProcess): Output {
  const texts = [process.stdout, process.stderr].map((stream) =>
    new Response(stream).text()
  );
  return { all: Promise.all(texts).then((both) => both.join("")) };
}

async function ready(url: string, output: Output): Promise<void> {
  const ended = output.all.then((text) => {
    throw new Error(`the server ended: ${text}`);
  });
  const wait = async () => {
    while ((await get(`${url}/readyz`)).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await Promise.race([wait(), ended]);
  // It ends later, and that end is expected.
  ended.catch(() => {});
}

async function get(url: string): Promise<{ readonly status: number }> {
  try {
    const answer = await fetch(url);
    await answer.body?.cancel();
    return { status: answer.status };
  } catch {
    // The server does not listen yet.
    return { status: 0 };
  }
}

async function post(url: string, accept: string): Promise<Response> {
  return await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept },
    body: JSON.stringify({ prompt: "three apples", seed: 11 }),
  });
}

interface File {
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
}

/** Returns plain files, at any depth. */
function files(folder: string): File[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return files(path);
    if (!entry.isFile) return [];
    const { size, mode, uid } = Deno.statSync(path);
    return [{ path, size, mode: mode ?? 0, uid: uid ?? 0 }];
  });
}
