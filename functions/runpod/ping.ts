/**
 * Signs of life: RunPod gives the jobs of a worker that sends none to another.
 *
 * @module
 */

import type { Pause } from "../jobs/pause.ts";
import { type Send, withQuery } from "./api.ts";
import { within } from "./deadline.ts";

/** Where signs of life go, and how often. */
export interface PingPlace {
  /** Where. */
  readonly url: string;
  /** Between two of them, in milliseconds. */
  readonly everyMs: number;
  /** Shown with each. */
  readonly key: string;
  /** What sends them. */
  readonly program: string;
}

/** How signs of life are sent. */
export interface PingOptions {
  /** Sends a request. */
  readonly send: Send;
  /** How time passes. */
  readonly pause: Pause;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Sends signs of life until the signal aborts. One that is lost is followed by
 * the next.
 *
 * @param jobs Names of those that run.
 */
export async function pingLoop(
  place: PingPlace,
  jobs: () => readonly string[],
  { send, pause, signal }: PingOptions,
): Promise<void> {
  while (!signal.aborted) {
    const request = (signal: AbortSignal) =>
      new Request(pingUrl(place, jobs()), {
        headers: { authorization: place.key },
        signal,
      });
    await within(2 * place.everyMs, signal, pause, async (signal) => {
      const response = await send(request(signal));
      await response.body?.cancel();
    }).catch(() => {});
    await pause(place.everyMs, signal);
  }
}

function pingUrl(
  { url, program }: PingPlace,
  jobs: readonly string[],
): string {
  const version = `runpod_version=${encodeURIComponent(program)}`;
  // None is told where none runs, as their SDK does.
  const named = jobs.length === 0
    ? version
    : `job_id=${encodeURIComponent(jobs.join(","))}&${version}`;
  return withQuery(url, named);
}
