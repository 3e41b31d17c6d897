// deno-lint-ignore-file no-console -- a report for people
/**
 * The leak check of a server of the embedded model: its resident memory over
 * 2,000 mixed requests, several at once; and the native objects that remain
 * after walks.
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

/** Concurrent clients. */
const CLIENTS = 4;

/** Count of memory samples. */
const PARTS = 20;

/** Samples that count as warm-up. */
const WARM_PARTS = 5;

/** Allowed growth, as a fraction of the memory after warm-up. */
const TOLERANCE = 0.05;

/**
 * Bytes of the KV cache: small, so that cached prefixes fill it during warm-up.
 * They are retained by design, and are no leak.
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

/** Sends requests `first` to `end` from several clients. */
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

/** Sends one request and returns its status, or that its client left. */
async function send(url: string, index: number): Promise<string> {
  const { path, accept, body, leaves } = mixedRequest(index);
  const abort = new AbortController();
  // Early, so that some are still queued and some are running.
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
