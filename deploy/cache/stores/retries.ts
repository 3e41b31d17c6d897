/**
 * Asking again, where that may help.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import { RemoteError } from "../remote.ts";

/** How patient it is. */
export interface Patience {
  /** Times that it asks, 1 or more. */
  readonly tries: number;
  /** Before the second time, in milliseconds; each pause doubles it. */
  readonly pauseMs: number;
  /** For one time, in milliseconds: what hangs is given up, and tried again. */
  readonly tryMs: number;
}

/** What a person at a terminal puts up with: pauses of a minute, in all. */
export const PATIENCE: Patience = {
  tries: 7,
  pauseMs: 500,
  // A part on a line of 1 Mbit/s.
  tryMs: 600_000,
};

/**
 * What `ask` answers, perhaps at a later try.
 *
 * @throws {RemoteError} The last one, or the first that no try can help.
 */
export async function withRetries<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { tries, pauseMs, tryMs }: Patience,
  signal: AbortSignal,
): Promise<T> {
  for (let tried = 1;; tried++) {
    signal.throwIfAborted();
    const timeout = AbortSignal.timeout(tryMs);
    try {
      return await ask(AbortSignal.any([signal, timeout]));
    } catch (cause) {
      const hung = timeout.aborted && !signal.aborted;
      const error = hung ? silence(tryMs, cause) : cause;
      const remedy = error instanceof RemoteError ? error.remedy : undefined;
      if (remedy?.type !== "retry" || tried >= tries) throw error;
      // Chance keeps those who failed together from coming back together.
      const backoff = pauseMs * 2 ** (tried - 1) * (0.5 + Math.random());
      const pause = Math.max(backoff, remedy.retryAfterMs ?? 0);
      await sleep(pause, undefined, { signal });
    }
  }
}

function silence(tryMs: number, cause: unknown): RemoteError {
  return new RemoteError(
    `Cannot go on: no answer came within ${tryMs / 1000} s, ` +
      "check the network",
    { type: "retry", retryAfterMs: undefined },
    { cause },
  );
}
