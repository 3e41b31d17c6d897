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
}

/** What a person at a terminal puts up with: a minute, in all. */
export const PATIENCE: Patience = { tries: 7, pauseMs: 500 };

/**
 * What `ask` answers, perhaps at a later try.
 *
 * @throws {RemoteError} The last one, or the first that no try can help.
 */
export async function withRetries<T>(
  ask: () => Promise<T>,
  { tries, pauseMs }: Patience,
  signal: AbortSignal,
): Promise<T> {
  for (let tried = 1;; tried++) {
    try {
      signal.throwIfAborted();
      return await ask();
    } catch (error) {
      const remedy = error instanceof RemoteError ? error.remedy : undefined;
      if (remedy?.type !== "retry" || tried >= tries) throw error;
      // Chance keeps those who failed together from coming back together.
      const backoff = pauseMs * 2 ** (tried - 1) * (0.5 + Math.random());
      const pause = Math.max(backoff, remedy.retryAfterMs ?? 0);
      await sleep(pause, undefined, { signal });
    }
  }
}
