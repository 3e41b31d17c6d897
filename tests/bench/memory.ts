// deno-lint-ignore-file no-console -- a report for people
/**
 * Whether a server of the embedded model keeps what it no longer needs: its
 * resident memory over 2,000 mixed requests, several at once; and whether walks
 * leave native objects behind.
 *
 * ```sh
 * deno task bench:memory          # Linux; about ten minutes on two cores
 * deno task bench:memory 500      # fewer requests
 * ```
 *
 * The last line is one JSON object. Keep results in RESULTS.md.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { type Server, startServer } from "../support/server.ts";
import { residentMebibytes } from "./resident.ts";
import { mixedRequest } from "./mixed_requests.ts";
import { countNativeObjects } from "./native_objects.ts";

/** Clients that ask at once. */
const CLIENTS = 4;

/** Parts in which the memory is looked at. */
const PARTS = 20;

/** Of the parts, those that count as warming up. */
const WARM_PARTS = 5;

/** What growth is allowed, of the memory after warming up. */
const TOLERANCE = 0.05;

/**
 * For keys and values: little, so that prefixes kept of earlier prompts fill it
 * while the server warms up. They are meant to stay, and are no leak.
 */
const CACHE_BYTES = 2 ** 25;

const total = Number(Deno.args[0] ?? 2000);
await using server = await startServer({
  SLOTS: "6",
  KV_BYTES: String(CACHE_BYTES),
});
const statuses = new Map<string, number>();
const mebibytes: number[] = [];
for (let part = 0; part < PARTS; part++) {
  const first = Math.floor(part * total / PARTS);
  const end = Math.floor((part + 1) * total / PARTS);
  await ask(server, first, end);
  mebibytes.push(await residentMebibytes(server));
  console.log(`${end} requests: ${mebibytes.at(-1)!.toFixed(1)} MiB`);
}
const steady = mebibytes.slice(WARM_PARTS);
const growth = mean(steady.slice(-WARM_PARTS)) /
    mean(steady.slice(0, WARM_PARTS)) - 1;
const flat = Math.abs(growth) <= TOLERANCE;
console.log(
  `${flat ? "flat" : "not flat"}: ${(100 * growth).toFixed(1)} % from ${
    WARM_PARTS * total / PARTS
  } requests on`,
);
const native = await countNativeObjects();
const left = !isDeepStrictEqual(native.warm, native.after) ||
  !isDeepStrictEqual(native.closed, {});
console.log(`native objects are left: ${left ? "yes" : "no"}`);
console.log(
  JSON.stringify({
    growth,
    mebibytes,
    statuses: Object.fromEntries(statuses),
    native,
  }),
);
if (!flat || left) Deno.exitCode = 1;

/** Requests `first` to `end`, by several clients. */
async function ask(
  { url }: Server,
  first: number,
  end: number,
): Promise<void> {
  let next = first;
  const client = async () => {
    while (next < end) {
      const status = await send(url, next++);
      statuses.set(status, 1 + (statuses.get(status) ?? 0));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** One request: its status, or that its client left. */
async function send(url: string, index: number): Promise<string> {
  const { path, accept, body, leaves } = mixedRequest(index);
  const abort = new AbortController();
  // Soon, so that some are still in the queue and some at work.
  const timer = leaves
    ? setTimeout(() => abort.abort(), 20 + index % 100)
    : undefined;
  try {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: accept },
      body: JSON.stringify(body),
      signal: abort.signal,
    });
    const text = await response.text();
    if (!response.ok && response.status !== 503) throw new Error(text);
    return String(response.status);
  } catch (error) {
    if (abort.signal.aborted) return "left";
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
