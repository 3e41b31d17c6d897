/** The server as a process: its start and its stop. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { json, parseEvents, TINY_FOLDERS } from "../support/tiny_server.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const MAIN = new URL("../../functions/main.ts", import.meta.url).pathname;
const env = { MODEL: TINY_FOLDERS.gen, THREADS: "1" };

async function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", MAIN, ...args],
    // Another server on this machine may use the default port.
    env: { STORE: ":memory:", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("main prints help and version", async () => {
  const [help, version] = await Promise.all([
    run(["--help"]),
    run(["--version"]),
  ]);
  strictEqual(help.code, 0);
  match(help.out, /Serving:.*SHUTDOWN_GRACE_S.*Models:.*GEN_MODEL/s);
  match(version.out, /^\d+\.\d+\.\d+\n$/);
});

Deno.test("main exits with an error of one line for an invalid variable", async () => {
  const { code, out, err } = await run([], { THREADS: "many" });
  strictEqual(code, 2);
  strictEqual(out, "");
  strictEqual(err, "Cannot use THREADS: expected a whole number, 1 or more\n");
});

Deno.test("main exits with an error of one line for an invalid checkpoint", async () => {
  const { code, err } = await run([], { MODEL: "/nowhere", PORT: "0" });
  strictEqual(code, 1);
  match(err, /^Cannot find model "\/nowhere": looked in .*\n$/);
});

Deno.test("main exits with an error of one line if the port is in use", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { code, err } = await run([], {
    ...env,
    PORT: String(listener.addr.port),
  });
  strictEqual(code, 1);
  match(
    err,
    /^Cannot listen on .*: the port is in use; .*PORT to a free address\n$/,
  );
});

Deno.test("main announces its URL, and lets a request finish after a signal", async () => {
  // A busy machine takes longer than the default grace.
  await using server = await startServer({ ...env, SHUTDOWN_GRACE_S: "120" });
  match(
    server.readyLine,
    /emu3 .* ready at http:\/\/127.0.0.1:\d+: emu3-tiny, /,
  );
  match(server.readyLine, /cpu.*fp32/);
  const answer = await fetch(
    `${server.url}/v1/generate`,
    json({ prompt: "a fox", height: 128, width: 128 }, {
      accept: "text/event-stream",
    }),
  );
  // Its first event precedes the answer.
  server.process.kill("SIGTERM");
  const { event, data } = parseEvents(await answer.text()).at(-1)!;
  strictEqual(event, "completed");
  ok(data.images[0].b64_json);
  strictEqual((await server.process.status).code, 0);
});

Deno.test("main ends running requests after the grace", async () => {
  await using server = await startServer({ ...env, SHUTDOWN_GRACE_S: "0" });
  const answer = fetch(
    `${server.url}/v1/generate`,
    json({ prompt: "a fox", height: 640, width: 640 }),
  );
  await until(async () => {
    const model = await fetch(`${server.url}/v1/models/emu3-tiny`);
    return (await model.json()).engine.running > 0;
  });
  server.process.kill("SIGTERM");
  const response = await answer;
  strictEqual(response.status, 503);
  strictEqual((await response.json()).error.code, "interrupted");
  strictEqual((await server.process.status).code, 0);
});

Deno.test("main warns if other machines can call without a key", async () => {
  const warns = async (env: Record<string, string>) => {
    const { err } = await run([], { MODEL: "/nowhere", ...env });
    return /without API keys: set API_KEYS/.test(err);
  };
  const said = await Promise.all([
    warns({ HOST: "0.0.0.0" }),
    warns({ HOST: "::" }),
    warns({ HOST: "0.0.0.0", API_KEYS: "a-key" }),
    warns({ HOST: "::1" }),
    warns({}),
  ]);
  deepStrictEqual(said, [true, true, false, false, false]);
});
