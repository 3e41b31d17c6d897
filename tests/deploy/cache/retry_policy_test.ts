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

Deno.test("patiently() asks again as often as it may where that may help, and not where it cannot", async () => {
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

Deno.test("patiently() gives up what hangs, and tries again", async () => {
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

Deno.test("patiently() stops while it pauses when it is told to", async () => {
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
