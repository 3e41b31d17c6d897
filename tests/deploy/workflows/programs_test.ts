import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  serverProgram,
  serviceProgram,
} from "../../../deploy/workflows/command/programs.ts";
import { commandSettings } from "../../../deploy/workflows/command/settings.ts";
import { restateProgram } from "../../../deploy/workflows/restate/restate_program.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const settings = commandSettings((name) =>
  name === "EMU3_API_KEY" ? "secret" : undefined
);

Deno.test("the service runs as its task says, and knows the server", async () => {
  const { args, env, file } = await serviceProgram(settings, "publickeyv1_x");
  strictEqual(file, Deno.execPath());
  strictEqual(args[0], "run");
  ok(args.includes("--v8-flags=--max-old-space-size=256"));
  ok(await Deno.stat(args.at(-1)!));
  deepStrictEqual(env, {
    "EMU3_URL": "http://127.0.0.1:8080",
    "EMU3_API_KEY": "secret",
    HOST: "127.0.0.1",
    PORT: "9080",
    "RESTATE_IDENTITY_KEY": "publickeyv1_x",
  });
});

Deno.test("the service has files of its data folder only", async () => {
  const permissions = async (dataFolder: string | undefined) => {
    const { args } = await serviceProgram({ ...settings, dataFolder }, "");
    return args.filter((word) => /^--allow-(read|write)/.test(word));
  };
  deepStrictEqual(await permissions(undefined), []);
  const [read, write, ...others] = await permissions("/a,b");
  ok(read!.startsWith("--allow-read=/a,,b,/"));
  strictEqual(write, "--allow-write=/a,,b");
  deepStrictEqual(others, []);
});

Deno.test("the server runs as task start, with the chains and their jobs", async () => {
  const { args, env } = await serverProgram(settings, true);
  ok(args.at(-1)!.endsWith("/functions/main.ts"));
  strictEqual(env["MALLOC_ARENA_MAX"], "2");
  strictEqual(env["WORKFLOWS_URL"], "http://127.0.0.1:8081");
  strictEqual(env["STORE"], `${settings.folder}/jobs.sqlite`);
  strictEqual(env["LOG"], "pretty");
});

Deno.test("Restate has no variable of this process but PATH", async () => {
  using folder = temporaryFolder();
  const { restate: ports } = settings;
  const { program, publicKey, isolated } = await restateProgram({
    file: "/opt/restate-server",
    folder: `${folder.path}/data`,
    ports,
  });
  strictEqual(program.clearEnv, true);
  deepStrictEqual(Object.keys(program.env), ["PATH"]);
  ok(publicKey.startsWith("publickeyv1_"));
  const words = [program.file, ...program.args];
  strictEqual(words.includes("/opt/restate-server"), true);
  strictEqual(isolated, program.file === "unshare");
});
