/**
 * The pings of a worker: RunPod gives the jobs of a silent worker to another.
 *
 * @module
 */

import type { Delay } from "../../lib/async/delay.ts";
import { type Send, withQuery } from "./api.ts";
import { within } from "./deadline.ts";

/** The target of pings and their interval. */
export interface PingPlace {
  /** URL that pings are sent to. */
  readonly url: string;
  /** Interval between two pings, in milliseconds. */
  readonly everyMs: number;
  /** API key of each ping. */
  readonly key: string;
  /** Name and version of the program, part of each ping. */
  readonly program: string;
}

/** Options of a ping loop. */
export interface PingOptions {
  /** Sends a request. */
  readonly send: Send;
  /** Waits for a duration. */
  readonly delay: Delay;
  /** Aborts to end the loop. */
  readonly signal: AbortSignal;
}

/**
 * Sends pings until the signal aborts. A lost ping is followed by the next.
 *
 * @param jobs Returns the ids of the running jobs.
 */
export async function pingLoop(
  place: PingPlace,
  jobs: () => readonly string[],
  { send, delay, signal }: PingOptions,
): Promise<void> {
  while (!signal.aborted) {
    const request = (signal: AbortSignal) =>
      new Request(pingUrl(place, jobs()), {
        headers: { authorization: place.key },
        signal,
      });
    await within(2 * place.everyMs, signal, delay, async (signal) => {
      const response = await send(request(signal));
      await response.body?.cancel();
    }).catch(() => {});
    await delay(place.everyMs, signal);
  }
}

function pingUrl(
  { url, program }: PingPlace,
  jobs: readonly string[],
): string {
  const version = `runpod_version=${encodeURIComponent(program)}`;
  // Without jobs the parameter is left out, as in RunPod's SDK.
  const named = jobs.length === 0
    ? version
    : `job_id=${encodeURIComponent(jobs.join(","))}&${version}`;
  return withQuery(url, named);
}
