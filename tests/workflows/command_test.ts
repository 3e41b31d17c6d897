/**
 * The command `task workflows`, with a real Restate server.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Child } from "../../deploy/workflows/restate/child_process.ts";
import { freePort } from "../support/free_port.ts";
import { TASKS } from "../support/readme_examples.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../support/temporary_folder.ts";
import { TINY_FOLDERS } from "../support/tiny_server.ts";
import { until } from "../support/until.ts";
import { startStub } from "./harness/stub_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const [, ...WORDS] = TASKS["workflows"]!.command.split(" ");
const { signal } = new AbortController();

type Variables = Readonly<Record<string, string>>;

/** Returns free ports for everything, and the folder of the data. */
function places(folder: TemporaryFolder): Variables {
  return {
    PORT: `${freePort()}`,
    "WORKFLOWS_PORT": `${freePort()}`,
    "WORKFLOWS_ADMIN_PORT": `${freePort()}`,
    "WORKFLOWS_SERVICE_PORT": `${freePort()}`,
    "WORKFLOWS_NODE_PORT": `${freePort()}`,
    "WORKFLOWS_STATE": `${folder.path}/state`,
  };
}

/** Starts the command. */
function startCommand(env: Variables) {
  const lines: string[] = [];
  const child = new Child({
    name: "workflows",
    file: Deno.execPath(),
    args: [
      ...["run", "--no-check", "--no-prompt", `--config=${ROOT}deno.json`],
      ...WORDS.slice(1, -1),
      `${ROOT}${WORDS.at(-1)}`,
    ],
    env,
    clearEnv: false,
    ready: /^Ctrl\+C stops all/,
    graceMs: 120_000,
  }, (line) => lines.push(line));
  return { child, lines, ingress: `http://127.0.0.1:${env["WORKFLOWS_PORT"]}` };
}

/** Sends a chain whose answer is not waited for. */
async function send(ingress: string): Promise<void> {
  const answer = await fetch(`${ingress}/imagine/a/run/send`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: "three apples", seed: 4 }),
  });
  strictEqual(answer.status, 202, await answer.text());
}

/** Returns the status of the chain's answer. */
async function outcome(ingress: string): Promise<number> {
  const answer = await fetch(`${ingress}/restate/workflow/imagine/a/attach`);
  await answer.body?.cancel();
  return answer.status;
}

/** Returns true if nothing listens on a port. */
function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** Returns the ids of processes whose command line has `word`. */
async function processesWith(word: string): Promise<readonly string[]> {
  const found = await Array.fromAsync(Deno.readDir("/proc"), async (entry) => {
    const path = `/proc/${entry.name}/cmdline`;
    const text = await Deno.readTextFile(path).catch(() => "");
    return text.includes(word) ? entry.name : "";
  });
  return found.filter((id) => /^\d+$/.test(id));
}

Deno.test("a stop leaves no process, and the next start continues the chain", async () => {
  using folder = temporaryFolder();
  await using stub = await startStub(`${folder.path}/emu3`, {
    "STUB_MS": "3000",
  });
  const env = { ...places(folder), "EMU3_URL": stub.url };
  const first = startCommand(env);
  await first.child.ready(signal);
  await send(first.ingress);
  await until(() => stub.events().some(({ event }) => event === "draw"));
  first.child.kill("SIGINT");
  strictEqual(await first.child.ended(), "exited with 0");
  ok(first.lines.includes("Stopping"));
  deepStrictEqual(await processesWith(`${folder.path}/state`), []);

  const second = startCommand(env);
  await second.child.ready(signal);
  strictEqual(await outcome(second.ingress), 200);
  await second.child.stop();
  deepStrictEqual(
    stub.events().map(({ event }) => event).filter((e) => !e.startsWith("/")),
    ["draw", "drawn"],
  );
});

Deno.test("a process that is killed is started again, and chains go on", async () => {
  using folder = temporaryFolder();
  await using stub = await startStub(`${folder.path}/emu3`, {
    "STUB_MS": "1000",
  });
  const command = startCommand({ ...places(folder), "EMU3_URL": stub.url });
  await command.child.ready(signal);
  await send(command.ingress);
  await until(() => stub.events().some(({ event }) => event === "draw"));
  const [restate] = await processesWith(`${folder.path}/state/restate`);
  Deno.kill(Number(restate), "SIGKILL");
  await until(() => command.lines.includes("restate serves again"));
  ok(
    command.lines.includes("restate was ended by SIGKILL; starting it again"),
  );
  strictEqual(await outcome(command.ingress), 200);
  await command.child.stop();
});

Deno.test("without EMU3_URL a server is started and stopped, too", async () => {
  using folder = temporaryFolder();
  const env = places(folder);
  const command = startCommand({
    ...env,
    MODEL: TINY_FOLDERS.gen,
    THREADS: "1",
  });
  await command.child.ready(signal);
  const [call] = command.lines.flatMap((line) =>
    line.match(/http:\S+\/v1\/workflows\/imagine/) ?? []
  );
  const answer = await fetch(call!, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: "three apples" }),
  });
  const { status, output } = await answer.json();
  strictEqual(status, "succeeded");
  ok(output.picture.grid.codes.length > 0);
  await command.child.stop();
  strictEqual(await command.child.ended(), "exited with 0");
  ok(isFree(Number(env["PORT"])));
});

Deno.test("the command exits with a message for what it cannot use", async () => {
  using folder = temporaryFolder();
  const broken = folder.write("restate", "#!/bin/sh\necho no license; exit 3");
  await Deno.chmod(broken, 0o755);
  const free = { ...places(folder), "EMU3_URL": "http://127.0.0.1:9" };
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = `${listener.addr.port}`;
  for (
    const [env, end, message] of [
      [
        { "WORKFLOWS_PORT": "x" },
        "exited with 2",
        /Cannot run workflows: WORKFLOWS_PORT is invalid: expected a port/,
      ],
      [
        { "WORKFLOWS_ADMIN_PORT": taken },
        "exited with 1",
        /port \d+ is in use; stop the program there, or set WORKFLOWS_ADMIN_PORT/,
      ],
      [
        { "RESTATE_SERVER": `${folder.path}/none` },
        "exited with 1",
        /Cannot start Restate: RESTATE_SERVER ".*" is no file/,
      ],
      [
        { "RESTATE_SERVER": broken },
        "exited with 1",
        /Cannot start restate: it exited with 3\nno license/,
      ],
    ] as const
  ) {
    const { child, lines } = startCommand({ ...free, ...env });
    strictEqual(await child.ended(), end, lines.join("\n"));
    ok(message.test(lines.join("\n")), lines.join("\n"));
  }
  deepStrictEqual(await processesWith(`${folder.path}/state`), []);
});

Deno.test("a second signal ends everything at once", async () => {
  using folder = temporaryFolder();
  const env = places(folder);
  const { child, lines } = startCommand({
    ...env,
    "EMU3_URL": "http://127.0.0.1:9",
  });
  await child.ready(signal);
  child.kill("SIGINT");
  await until(() => lines.includes("Stopping"));
  child.kill("SIGINT");
  // It may have stopped in order before.
  ok(/^exited with (130|0)$/.test(await child.ended()));
  await until(() =>
    ["WORKFLOWS_PORT", "WORKFLOWS_SERVICE_PORT"].every((name) =>
      isFree(Number(env[name]))
    )
  );
});

Deno.test("two commands do not share a folder", async () => {
  using folder = temporaryFolder();
  const url = { "EMU3_URL": "http://127.0.0.1:9" };
  const first = startCommand({ ...places(folder), ...url });
  await first.child.ready(signal);
  const second = startCommand({ ...places(folder), ...url });
  strictEqual(await second.child.ended(), "exited with 1");
  ok(/another task workflows uses .*state; stop it/.test(second.lines.join()));
  await first.child.stop();
});
