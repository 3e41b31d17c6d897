/**
 * The thread that converts bands: one at a time, each answered once.
 *
 * Its first message brings the port that all others use.
 *
 * @module
 */

import type { Treatment } from "./recipe.ts";
import { convert } from "./convert.ts";

/** A band to convert. */
export interface Job {
  /** Bytes of the band, transferred. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Type of the elements. */
  readonly dtype: string;
  /** Treatment of the band. */
  readonly treatment: Treatment;
}

/** The outcome of a job: its results, or the reason of a failure. */
export type ConvertOutcome =
  | { readonly parts: readonly Uint8Array<ArrayBuffer>[] }
  | { readonly reason: string };

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  const [port] = event.ports;
  if (port === undefined) return;
  port.onmessage = ({ data }: MessageEvent<Job>) => {
    const outcome = outcomeOf(data);
    const moved = "parts" in outcome
      ? outcome.parts.map(({ buffer }) => buffer)
      : [];
    port.postMessage(outcome, moved);
  };
});

function outcomeOf({ bytes, dtype, treatment }: Job): ConvertOutcome {
  try {
    return { parts: convert(bytes, dtype, treatment) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : "it failed" };
  }
}
