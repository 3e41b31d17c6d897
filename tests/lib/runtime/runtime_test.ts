import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { RuntimeError } from "../../../lib/errors.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { Graph } from "../../../models/graph/graph.ts";
import { NO_WEIGHTS, sessionOf, squareOften } from "../../support/graphs.ts";

const ONE_THREAD = { threads: 1 };

Deno.test("run() reads and writes the arrays that tensors cover", async () => {
  await using runtime = new Runtime(ONE_THREAD);
  await using session = await sessionOf(
    runtime,
    [3],
    (g, x) => g.apply("Add", [x, x]),
  );
  const x = Float32Array.of(1, 2, 3);
  const y = new Float32Array(3);
  using input = runtime.tensor(x, [3]);
  using output = runtime.tensor(y, [3]);
  using binding = session.bind().input("x", input).output("y", output);
  await binding.run();
  deepStrictEqual(y, Float32Array.of(2, 4, 6));
  x.set([10, 20, 30]);
  await binding.run();
  deepStrictEqual(y, Float32Array.of(20, 40, 60), "later writes are seen");
});

Deno.test("run() may read and write one array, as a cache is", async () => {
  await using runtime = new Runtime(ONE_THREAD);
  await using session = await sessionOf(
    runtime,
    [2],
    (g, x) => g.apply("Add", [x, x]),
  );
  const state = Float32Array.of(1, 3);
  using tensor = runtime.tensor(state, [2]);
  using binding = session.bind().input("x", tensor).output("y", tensor);
  for (let i = 0; i < 3; i++) await binding.run();
  deepStrictEqual(state, Float32Array.of(8, 24));
});

Deno.test("tensor() refuses an array that is too short for its shape", async () => {
  await using runtime = new Runtime(ONE_THREAD);
  throws(() => runtime.tensor(new Float32Array(5), [2, 3]), RangeError);
});

Deno.test("session() reports ONNX Runtime's error about a graph", async () => {
  await using runtime = new Runtime(ONE_THREAD);
  const options = { weightFolder: "/", prepack: true };
  const noise = new TextEncoder().encode("no protobuf");
  await rejects(runtime.session(noise, options), RuntimeError);
  const g = new Graph("test", NO_WEIGHTS, { computeDtype: "float32" });
  const x = g.input("x", "float32", [1]);
  g.output("y", g.apply("NoSuchOperator", [x]), "float32", [1]);
  await rejects(runtime.session(g.build().model, options), (error) => {
    ok(error instanceof RuntimeError);
    match(error.message, /NoSuchOperator/);
    return true;
  });
});

Deno.test("run() rejects if shapes do not fit, and the session stays usable", async () => {
  await using runtime = new Runtime(ONE_THREAD);
  await using session = await sessionOf(
    runtime,
    [2, 2],
    (g, x) => g.apply("MatMul", [x, x]),
  );
  using short = runtime.tensor(new Float32Array(2), [1, 2]);
  using good = runtime.tensor(Float32Array.of(1, 1, 0, 1), [2, 2]);
  const y = new Float32Array(4);
  using output = runtime.tensor(y, [2, 2]);
  using bad = session.bind().input("x", short).output("y", output);
  await rejects(bad.run(), RuntimeError);
  using binding = session.bind().input("x", good).output("y", output);
  await binding.run();
  deepStrictEqual(y, Float32Array.of(1, 2, 0, 1));
});

Deno.test("run() leaves the event loop free and stops when its signal aborts", async () => {
  await using runtime = new Runtime(ONE_THREAD);
  const side = 512;
  const operators = 400;
  await using session = await sessionOf(
    runtime,
    [side, side],
    squareOften(operators),
  );
  using input = runtime.tensor(new Float32Array(side * side), [side, side]);
  using output = runtime.tensor(new Float32Array(side * side), [side, side]);
  using binding = session.bind().input("x", input).output("y", output);
  const reason = new Error("enough");
  const controller = new AbortController();
  // The timer fires only if the run does not block the event loop, and the run
  // rejects only if it was still at work then: it takes a second or more.
  setTimeout(() => controller.abort(reason));
  await rejects(binding.run(controller.signal), reason);
  await rejects(binding.run(controller.signal), reason, "already aborted");
});

Deno.test("Session runs beside another and each returns its own result", async () => {
  await using runtime = new Runtime({ threads: 2 });
  await using double = await sessionOf(
    runtime,
    [1],
    (g, x) => g.apply("Add", [x, x]),
  );
  await using square = await sessionOf(
    runtime,
    [1],
    (g, x) => g.apply("Mul", [x, x]),
  );
  const results = await Promise.all([double, square].map(async (session) => {
    const y = new Float32Array(1);
    using input = runtime.tensor(Float32Array.of(5), [1]);
    using output = runtime.tensor(y, [1]);
    using binding = session.bind().input("x", input).output("y", output);
    await binding.run();
    return y[0];
  }));
  deepStrictEqual(results, [10, 25]);
});

Deno.test("Session waits for its run when closed and refuses the next", async () => {
  await using runtime = new Runtime(ONE_THREAD);
  const session = await sessionOf(runtime, [64, 64], squareOften(50));
  using tensor = runtime.tensor(new Float32Array(64 * 64), [64, 64]);
  using output = runtime.tensor(new Float32Array(64 * 64), [64, 64]);
  const binding = session.bind().input("x", tensor).output("y", output);
  const run = binding.run();
  await session[Symbol.asyncDispose]();
  await run;
  throws(() => session.bind(), RuntimeError);
});

// In a process of its own: memory is counted by process, and tests of other
// files run beside this one.
Deno.test("Session leaks no memory in a thousand runs with tensors and bindings of their own", async () => {
  const script =
    new URL("../../support/run_often.ts", import.meta.url).pathname;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", script],
    stderr: "inherit",
  }).output();
  ok(success);
  const { bufferBytes, runs, grown } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  ok(grown < (runs * bufferBytes) / 8, `grew by ${grown} bytes`);
});

Deno.test("Runtime reports its version", async () => {
  await using runtime = new Runtime(ONE_THREAD);
  strictEqual(runtime.version, "1.30.0");
});

Deno.test("open() equals the constructor, and does not block", async () => {
  let ran = false;
  const opening = Runtime.open(ONE_THREAD);
  queueMicrotask(() => ran = true);
  await using runtime = await opening;
  ok(ran);
  deepStrictEqual(runtime.alive, { Env: 1, MemoryInfo: 1 });
  await using session = await sessionOf(
    runtime,
    [1],
    (g, x) => g.apply("Add", [x, x]),
  );
  const y = new Float32Array(1);
  using input = runtime.tensor(Float32Array.of(2), [1]);
  using output = runtime.tensor(y, [1]);
  using binding = session.bind().input("x", input).output("y", output);
  await binding.run();
  deepStrictEqual(y, Float32Array.of(4));
});

Deno.test("alive counts native objects until they are freed", async () => {
  const runtime = new Runtime(ONE_THREAD);
  const idle = runtime.alive;
  deepStrictEqual(idle, { Env: 1, MemoryInfo: 1 });
  {
    await using session = await sessionOf(
      runtime,
      [3],
      (g, x) => g.apply("Add", [x, x]),
    );
    using tensor = runtime.tensor(new Float32Array(3), [3]);
    using binding = session.bind().input("x", tensor);
    runtime.bindUnknown(binding, "y");
    await binding.run();
    binding.outputs();
    const busy = { ...idle, Session: 1, IoBinding: 1, Value: 1 };
    deepStrictEqual(runtime.alive, busy);
    const noise = new TextEncoder().encode("no protobuf");
    const options = { weightFolder: "/", prepack: true };
    await rejects(runtime.session(noise, options));
    deepStrictEqual(runtime.alive, busy, "a failure leaves nothing");
  }
  deepStrictEqual(runtime.alive, idle);
  await runtime[Symbol.asyncDispose]();
  deepStrictEqual(runtime.alive, {});
});
