import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { type Remedy, RemoteError } from "../../../../deploy/cache/remote.ts";
import { withRetries } from "../../../../deploy/cache/stores/retries.ts";
import { NEVER } from "../../../support/publish_tree.ts";

const PATIENCE = { tries: 3, pauseMs: 1, tryMs: 10_000 };
const RETRY: Remedy = { type: "retry", retryAfterMs: undefined };

Deno.test("withRetries() asks again as often as it may where that may help, and not where it cannot", async () => {
  const tries = async (error: Error) => {
    let asked = 0;
    const ask = () => {
      asked++;
      return Promise.reject(error);
    };
    await rejects(withRetries(ask, PATIENCE, NEVER), error);
    return asked;
  };
  strictEqual(await tries(new RemoteError("busy", RETRY)), 3);
  strictEqual(await tries(new RemoteError("no", { type: "elsewhere" })), 1);
  strictEqual(await tries(new TypeError("a bug")), 1);
});

Deno.test("withRetries() gives up what hangs, and tries again", async () => {
  let asked = 0;
  const ask = (signal: AbortSignal) =>
    ++asked < 2
      ? new Promise<number>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      )
      : Promise.resolve(asked);
  const patience = { ...PATIENCE, tryMs: 20 };
  // A timer of a signal keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  strictEqual(await withRetries(ask, patience, NEVER), 2);
  clearInterval(alive);
});

Deno.test("withRetries() stops while it pauses when it is told to", async () => {
  const stop = new AbortController();
  const asked: number[] = [];
  const ask = () => {
    asked.push(1);
    setTimeout(() => stop.abort(), 1);
    return Promise.reject(new RemoteError("busy", RETRY));
  };
  const patience = { ...PATIENCE, pauseMs: 1e6 };
  await rejects(withRetries(ask, patience, stop.signal), /abort/i);
  deepStrictEqual(asked, [1]);
});
