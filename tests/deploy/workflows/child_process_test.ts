import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  Child,
  type Program,
} from "../../../deploy/workflows/restate/child_process.ts";
import { KeptProcess } from "../../../deploy/workflows/restate/kept_process.ts";
import { until } from "../../support/until.ts";

const { signal } = new AbortController();

/** Returns a program of the shell, which is ready at once by default. */
function program(script: string, rest: Partial<Program> = {}): Program {
  return {
    name: "part",
    file: "sh",
    args: ["-c", script],
    env: {},
    clearEnv: false,
    ready: () => Promise.resolve(true),
    graceMs: 60_000,
    ...rest,
  };
}

/** Keeps a process; returns what it says. */
function keep(script: string, now: () => number = () => 0) {
  const said: string[] = [];
  const lines: string[] = [];
  const kept = new KeptProcess(program(script), {
    onLine: (line) => lines.push(line),
    say: (line) => said.push(line),
    now,
  });
  return { kept, said, lines };
}

Deno.test("a child's lines of both outputs are read", async () => {
  const lines: string[] = [];
  const child = new Child(
    program("echo a; echo b; printf c; echo d >&2"),
    (line) => lines.push(line),
  );
  strictEqual(await child.ended(), "exited with 0");
  deepStrictEqual(lines.sort(), ["a", "b", "c", "d"]);
});

Deno.test("ready() throws the last lines of a child that ends before", async () => {
  const child = new Child(
    program("echo port in use; exit 3", {
      ready: () => Promise.resolve(false),
    }),
    () => {},
  );
  await rejects(
    child.ready(signal),
    /^ChildError: Cannot start part: it exited with 3\nport in use$/,
  );
});

Deno.test("a child is ready once it answers, or writes its line", async () => {
  let questions = 0;
  const asked = new Child(
    program("exec sleep 1000", {
      ready: () => Promise.resolve(++questions === 3),
    }),
    () => {},
  );
  await asked.ready(signal);
  strictEqual(questions, 3);
  await asked.stop();
  const lines: string[] = [];
  const announced = new Child(
    program("echo begins; echo ready at 1; exec sleep 1000", {
      ready: /^ready at /,
    }),
    (line) => lines.push(line),
  );
  await announced.ready(signal);
  deepStrictEqual(lines, ["begins", "ready at 1"]);
  await announced.stop();
});

Deno.test("stop() sends SIGTERM, and SIGKILL to a child that does not end", async () => {
  const graceful = new Child(
    program("trap 'exit 5' TERM; echo on; while :; do sleep 0.01; done"),
    () => {},
  );
  const { promise, resolve } = Promise.withResolvers<void>();
  const deaf = new Child(
    program("trap '' TERM; echo on; while :; do sleep 0.01; done", {
      graceMs: 1,
    }),
    () => resolve(),
  );
  await promise;
  await deaf.stop();
  strictEqual(await deaf.ended(), "was ended by SIGKILL");
  await graceful.stop();
  await graceful.ended();
});

Deno.test("SIGKILL ends what the child started, too", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = new Child(
    program("sleep 1000 & echo $!; wait"),
    (line) => resolve(Number(line)),
  );
  const grandchild = await promise;
  child.kill("SIGKILL");
  await child.ended();
  await until(async () => {
    const path = `/proc/${grandchild}/stat`;
    const stat = await Deno.readTextFile(path).catch(() => ") Z");
    return stat.includes(") Z");
  });
});

Deno.test("a child has a process group of its own", async () => {
  const lines: string[] = [];
  const child = new Child(program("ps -o pgid= $$"), (l) => lines.push(l));
  await child.ended();
  deepStrictEqual(lines.map(Number), [child.pid]);
});

Deno.test("a kept process starts again when it ends, until it is stopped", async () => {
  const { kept, said } = keep("exec sleep 1000");
  const done = kept.keep();
  const first = kept.pid;
  Deno.kill(first, "SIGKILL");
  await until(() => said.length === 2);
  deepStrictEqual(said, [
    "part was ended by SIGKILL; starting it again",
    "part serves again",
  ]);
  strictEqual(kept.pid === first, false);
  await kept.stop();
  await done;
  strictEqual(said.length, 2);
});

Deno.test("a process that ends six times within a minute is given up", async () => {
  const { kept, said } = keep("exit 7");
  await rejects(
    kept.keep(),
    /Cannot start part: it exited with 7, for the 6th time within a minute/,
  );
  strictEqual(said.filter((line) => /again$/.test(line)).length >= 5, true);
});
