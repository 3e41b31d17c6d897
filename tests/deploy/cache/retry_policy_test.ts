import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  patiently,
  type RetryPolicy,
} from "../../../deploy/cache/retry_policy.ts";
import { type Remedy, RemoteError } from "../../../deploy/cache/net/remote.ts";
import { NEVER } from "../../support/publish_tree.ts";

const PATIENCE: RetryPolicy = {
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
    await rejects(patiently("a place", ask, PATIENCE, NEVER), error);
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
  const patience = { ...PATIENCE, stallMs: 20 };
  strictEqual(await patiently("a place", ask, patience, NEVER), 2);
});

Deno.test("patiently() stops on abort during a wait", async () => {
  const stop = new AbortController();
  const asked: number[] = [];
  const ask = () => {
    asked.push(1);
    setTimeout(() => stop.abort(), 1);
    return Promise.reject(new RemoteError("busy", RETRY));
  };
  const patience = { ...PATIENCE, baseMs: 1e6 };
  await rejects(patiently("a place", ask, patience, stop.signal), /abort/i);
  deepStrictEqual(asked, [1]);
});
