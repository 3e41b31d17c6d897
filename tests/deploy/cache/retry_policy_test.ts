import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  type RetryPolicy,
  withRetries,
} from "../../../deploy/cache/retry_policy.ts";
import { type Remedy, RemoteError } from "../../../deploy/cache/net/remote.ts";
import { NEVER } from "../../support/publish_tree.ts";

const RETRY_POLICY: RetryPolicy = {
  attempts: 3,
  baseMs: 1,
  maxMs: 1e6,
  stallMs: 10_000,
  random: () => 1,
};
const RETRY: Remedy = { type: "retry", retryAfterMs: undefined };

Deno.test("patiently() retries up to the limit where that may help, and not otherwise", async () => {
  const tries = async (error: Error) => {
    let asked = 0;
    const ask = () => {
      asked++;
      return Promise.reject(error);
    };
    await rejects(withRetries("a place", ask, RETRY_POLICY, NEVER), error);
    return asked;
  };
  strictEqual(await tries(new RemoteError("busy", RETRY)), 3);
  strictEqual(await tries(new RemoteError("no", { type: "elsewhere" })), 1);
  strictEqual(await tries(new TypeError("a bug")), 1);
});

Deno.test("patiently() aborts a stalled attempt, and retries", async () => {
  let asked = 0;
  const ask = (signal: AbortSignal) =>
    ++asked < 2
      ? new Promise<number>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      )
      : Promise.resolve(asked);
  const retryPolicy = { ...RETRY_POLICY, stallMs: 20 };
  strictEqual(await withRetries("a place", ask, retryPolicy, NEVER), 2);
});

Deno.test("patiently() stops on abort during a wait", async () => {
  const stop = new AbortController();
  const asked: number[] = [];
  const ask = () => {
    asked.push(1);
    setTimeout(() => stop.abort(), 1);
    return Promise.reject(new RemoteError("busy", RETRY));
  };
  const retryPolicy = { ...RETRY_POLICY, baseMs: 1e6 };
  await rejects(
    withRetries("a place", ask, retryPolicy, stop.signal),
    /abort/i,
  );
  deepStrictEqual(asked, [1]);
});
