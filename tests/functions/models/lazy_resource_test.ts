import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { LazyResource } from "../../../functions/models/lazy_resource.ts";
import { NotReadyError } from "../../../functions/http/errors/errors.ts";
import { CheckpointError } from "../../../lib/errors.ts";

/** Returns the current state; the type checker would assume a constant property. */
function stateOf(held: LazyResource<AsyncDisposable>): string {
  return held.state.state;
}

const thing = () => {
  let closed = 0;
  return {
    closed: () => closed,
    [Symbol.asyncDispose]: () => {
      closed++;
      return Promise.resolve();
    },
  };
};

Deno.test("LazyResource is unloaded, loading, then ready", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using held = new LazyResource("m", async (runPhase) => {
    await runPhase("open", () => promise);
    return await runPhase("warm up", () => Promise.resolve(thing()));
  });
  strictEqual(stateOf(held), "unloaded");
  const loading = held.load();
  strictEqual(stateOf(held), "loading");
  throws(
    () => held.get(),
    (error) =>
      error instanceof NotReadyError && error.retryAfterSeconds !== undefined,
  );
  resolve();
  strictEqual(await loading, held.get());
  strictEqual(stateOf(held), "ready");
  deepStrictEqual(held.state.phases.map(({ name }) => name), [
    "open",
    "warm up",
  ]);
});

Deno.test("LazyResource opens once", async () => {
  let opened = 0;
  await using held = new LazyResource("m", () => {
    opened++;
    return Promise.resolve(thing());
  });
  await Promise.all([held.load(), held.load()]);
  await held.load();
  strictEqual(opened, 1);
});

Deno.test("LazyResource reports the reason of a failure, without Retry-After", async () => {
  await using held = new LazyResource(
    "m",
    () => Promise.reject(new CheckpointError("a/config.json", "it is empty")),
  );
  await rejects(held.load(), CheckpointError);
  strictEqual(stateOf(held), "failed");
  throws(
    () => held.get(),
    (error) =>
      error instanceof NotReadyError && error.retryAfterSeconds === undefined &&
      error.message.includes("it is empty"),
  );
});

Deno.test("LazyResource hides unexpected errors", async () => {
  await using held = new LazyResource(
    "m",
    () => Promise.reject(new TypeError("secret")),
  );
  await rejects(held.load(), TypeError);
  throws(
    () => held.get(),
    (error) => error instanceof Error && !error.message.includes("secret"),
  );
});

Deno.test("LazyResource closes once it has loaded", async () => {
  const opened = thing();
  const held = new LazyResource("m", () => Promise.resolve(opened));
  held.load();
  await held[Symbol.asyncDispose]();
  strictEqual(opened.closed(), 1);
});
