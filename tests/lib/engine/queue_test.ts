/**
 * The limits of an engine's queue, and the retry times of refused requests.
 *
 * @module
 */

import { rejects } from "node:assert/strict";
import { OverloadedError } from "../../../lib/errors.ts";
import { engineOn, requestOf } from "../../support/fake_engine.ts";
import { Greedy } from "../../support/policies.ts";

const NEVER = new AbortController().signal;

Deno.test("run() refuses requests beyond its queue, with a retry time", async () => {
  const { engine } = engineOn({ slots: 2 }, { queueLimit: 1 });
  await using _ = engine;
  const first = engine.run(requestOf([[1], [2]], new Greedy(5)), NEVER);
  await Promise.resolve();
  await Promise.resolve();
  const second = engine.run(requestOf([[1], [2]], new Greedy(1)), NEVER);
  await rejects(
    engine.run(requestOf([[1]], new Greedy(1)), NEVER),
    (error) => error instanceof OverloadedError && error.retryAfterSeconds >= 1,
  );
  await Promise.all([first, second]);
});

Deno.test("run() counts the requests of one group as one in the queue", async () => {
  const { engine } = engineOn({ slots: 2 }, { queueLimit: 2 });
  await using _ = engine;
  const together = (group: symbol) =>
    Array.from({ length: 5 }, () => {
      const policy = new Greedy(3);
      return engine.run({ ...requestOf([[1]], policy), group }, NEVER);
    });
  const first = together(Symbol("first"));
  const second = together(Symbol("second"));
  await rejects(
    engine.run(requestOf([[1]], new Greedy(1)), NEVER),
    OverloadedError,
  );
  await Promise.all([...first, ...second]);
  await engine.run(requestOf([[1]], new Greedy(1)), NEVER);
});

Deno.test("run() estimates steps by the duration of those that it has run", async () => {
  const { engine } = engineOn(
    { slots: 2, contextLength: 2000 },
    { queueLimit: 1, cacheTokens: 4000 },
  );
  await using _ = engine;
  const leave = new AbortController();
  const stop = { name: "AbortError" };
  await engine.run(requestOf([[1]], new Greedy(2)), NEVER);
  const long = () => requestOf([[1], [2]], new Greedy(900), 1000, true);
  const started = Promise.withResolvers<void>();
  const first = engine.run(
    { ...long(), onStarted: () => started.resolve() },
    leave.signal,
  );
  await started.promise;
  const second = engine.run(long(), leave.signal);
  const stopped = Promise.all([rejects(first, stop), rejects(second, stop)]);
  // The clock advances a few milliseconds per step, and a thousand steps
  // remain.
  await rejects(
    engine.run(long(), NEVER),
    (error) =>
      error instanceof OverloadedError && error.retryAfterSeconds <= 10,
  );
  leave.abort();
  await stopped;
});
