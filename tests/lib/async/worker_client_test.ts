import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  webWorker,
  WorkerClient,
  WorkerEndedError,
} from "../../../lib/async/worker_client.ts";
import type { Fault } from "../../../lib/async/worker_methods.ts";
import type { TestMethods } from "../../support/worker_methods_worker.ts";

const URL_OF_WORKER = new URL(
  "../../support/worker_methods_worker.ts",
  import.meta.url,
);

function start(
  restore?: (fault: Fault) => Error | undefined,
): WorkerClient<TestMethods> {
  return new WorkerClient(webWorker(URL_OF_WORKER, "test"), "test", restore);
}

Deno.test("WorkerClient returns each method's value to its own call", async () => {
  using client = start();
  const sums = Array.from(
    { length: 20 },
    (_, i) => client.call("add", [i, 1]),
  );
  strictEqual(client.pending, 20);
  deepStrictEqual(await Promise.all(sums), sums.map((_, i) => i + 1));
  strictEqual(client.pending, 0);
});

Deno.test("WorkerClient moves buffers both ways", async () => {
  using client = start();
  const bytes = Uint8Array.of(1, 2, 3);
  const back = await client.call("move", bytes, { moved: [bytes.buffer] });
  strictEqual(bytes.length, 0);
  deepStrictEqual(back, Uint8Array.of(1, 2, 3));
});

Deno.test("WorkerClient passes events on before the result, in order", async () => {
  using client = start();
  const events: number[] = [];
  const onEvent = (event: number) => events.push(event);
  strictEqual(await client.call("count", 3, { onEvent }), "counted");
  deepStrictEqual(events, [1, 2, 3]);
});

Deno.test("WorkerClient rejects with the error's class, fields and stack", async () => {
  using client = start();
  await rejects(client.call("fail", "range"), (error) => {
    ok(error instanceof RangeError);
    strictEqual(error.message, "out of range");
    match(error.stack ?? "", /worker_methods_worker\.ts/);
    return true;
  });
  await rejects(client.call("fail", "coded"), {
    name: "CodedError",
    code: "coded",
    message: "with a code",
  });
  await rejects(client.call("fail", "foreign"), /with a function/);
  await rejects(client.call("fail", "string"), /not an Error: a string/);
  await rejects(client.call("unsendable", undefined), /clone/);
});

Deno.test("WorkerClient restores error classes by its restore function", async () => {
  class OwnError extends Error {}
  using client = start(({ name, message }) =>
    name === "CodedError" ? new OwnError(message) : undefined
  );
  await rejects(client.call("fail", "coded"), OwnError);
  await rejects(client.call("fail", "range"), RangeError);
});

Deno.test("WorkerClient rejects calls of methods that do not exist", async () => {
  using client = start();
  await rejects(
    client.call("missing" as "add", [1, 2]),
    /Cannot call "missing": no such method/,
  );
});

Deno.test("WorkerClient aborts a call, and rejects with the signal's reason", async () => {
  using client = start();
  const controller = new AbortController();
  const reason = new Error("no longer wanted");
  const call = client.call("untilAborted", undefined, {
    signal: controller.signal,
    onEvent: () => controller.abort(reason),
  });
  await rejects(call, reason);
  strictEqual(await client.call("add", [1, 2]), 3);
  await rejects(
    client.call("add", [1, 2], { signal: controller.signal }),
    reason,
  );
});

Deno.test("WorkerClient rejects pending and later calls of a crashed worker", async () => {
  using client = start();
  const crashed = { name: "WorkerEndedError", message: /test: .*worker fault/ };
  await Promise.all([
    rejects(client.call("untilAborted", undefined), crashed),
    rejects(client.call("crash", undefined), crashed),
  ]);
  await rejects(client.call("add", [1, 2]), crashed);
});

Deno.test("WorkerClient rejects pending and later calls once it is closed", async () => {
  const client = start();
  const pending = rejects(client.call("untilAborted", undefined), {
    message: "Cannot use test: it is closed",
  });
  await client.close();
  await pending;
  await rejects(client.call("add", [1, 2]), WorkerEndedError);
});
