/**
 * The thread that treats bands: one at a time, each answered once.
 *
 * Its first message brings the port over which everything else goes.
 *
 * @module
 */

import type { Treatment } from "./recipe.ts";
import { convert } from "./convert.ts";

/** A band to treat. */
export interface Job {
  /** Handed over. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the elements. */
  readonly dtype: string;
  /** What is to be done. */
  readonly treatment: Treatment;
}

/** What became of it: results, or why there are none. */
export type Outcome =
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

function outcomeOf({ bytes, dtype, treatment }: Job): Outcome {
  try {
    return { parts: convert(bytes, dtype, treatment) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : "it failed" };
  }
}
