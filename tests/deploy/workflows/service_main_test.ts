import { ok, strictEqual } from "node:assert/strict";
import { Child } from "../../../deploy/workflows/restate/child_process.ts";
import { answers } from "../../../deploy/workflows/restate/restate_admin.ts";
import { SERVICE_VARIABLES } from "../../../deploy/workflows/variables.ts";
import { freePort } from "../../support/free_port.ts";
import { TASKS } from "../../support/readme_examples.ts";

const KEY = "publickeyv1_w7YHemBctH5Ck2nQRQ47iBBqhNHy4FV7t2Usbye2A6f";
const { signal } = new AbortController();
const ROOT = new URL("../../../", import.meta.url).pathname;
const [, ...ARGS] = TASKS["workflows:service"]!.command.split(" ");

/** Starts the service under the permissions of its task. */
function start(env: Readonly<Record<string, string>>) {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const lines: string[] = [];
  const child = new Child({
    name: "service",
    file: Deno.execPath(),
    args: ARGS.map((word) => word.endsWith(".ts") ? `${ROOT}${word}` : word)
      .toSpliced(1, 0, "--no-check", "--no-prompt"),
    env: { PORT: `${port}`, ...env },
    clearEnv: false,
    ready: (signal) => answers(`${url}/health`, signal),
    graceMs: 60_000,
  }, (line) => lines.push(line));
  return { child, url, lines };
}

Deno.test("the service answers health to all, the rest to signed requests, and stops", async () => {
  const { child, url, lines } = start({ "RESTATE_IDENTITY_KEY": KEY });
  await child.ready(signal);
  for (const path of ["discover", "invoke/imagine/run"]) {
    const { status, body } = await fetch(`${url}/${path}`);
    await body?.cancel();
    strictEqual(status, 401, path);
  }
  await child.stop();
  strictEqual(await child.ended(), "exited with 0");
  ok(lines.some((line) => /^chains ready at http:.*: imagine/.test(line)));
  const refusals = lines.filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .filter(({ level }) => level === "error");
  strictEqual(refusals.length, 2);
});

Deno.test("the service exits with a message for a wrong variable or a taken port", async () => {
  const wrong = start({ PORT: "none" });
  strictEqual(await wrong.child.ended(), "exited with 2");
  strictEqual(
    wrong.lines.join(),
    "PORT is invalid: expected a port from 1 to 65535",
  );
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = start({ PORT: `${listener.addr.port}` });
  strictEqual(await taken.child.ended(), "exited with 1");
  ok(/^Cannot listen: .*; set PORT to a free port$/.test(taken.lines.at(-1)!));
});

Deno.test("the task permits the variables of the service", () => {
  const flag = ARGS.find((word) => word.startsWith("--allow-env="))!;
  const permitted = flag.replace("--allow-env=", "").split(",");
  const missing = SERVICE_VARIABLES.filter((name) => !permitted.includes(name));
  strictEqual(missing.join(), "");
});
