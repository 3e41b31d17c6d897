/**
 * The running calls, so that a later message of the same caller can cancel
 * them.
 *
 * A cancellation is a request of its own. The only state of a session is its
 * running calls: nothing outlives a call, and any id is valid. A caller can
 * cancel only its own calls, in any session.
 *
 * @module
 */

/** An id that a client gave its message. */
export type MessageId = string | number;

/** The name of a call; without a session or an id it cannot be named later. */
export interface CallName {
  /** Caller, as limits count callers. */
  readonly caller: string;
  /** Session that the client named. */
  readonly session: string | undefined;
  /** Id that the client gave the message. */
  readonly id: MessageId | undefined;
}

/** Maximum number of calls that are recorded at once. */
export const MAX_CALLS = 1024;

/** Maximum characters of a name that is recorded. */
const MAX_NAME = 512;

/** The running calls by name. */
export class RunningCalls {
  readonly #ends = new Map<string, () => void>();

  /** Number of running calls. */
  get size(): number {
    return this.#ends.size;
  }

  /**
   * Records a call until the returned function is called; not one without a
   * name, nor more than {@linkcode MAX_CALLS}.
   *
   * @param end Cancels the call.
   */
  add(name: CallName, end: () => void): () => void {
    const key = keyOf(name);
    if (key === undefined || this.#ends.size >= MAX_CALLS) return () => {};
    this.#ends.set(key, end);
    return () => {
      if (this.#ends.get(key) === end) this.#ends.delete(key);
    };
  }

  /** Cancels a call if it still runs. */
  cancel(name: CallName): void {
    const key = keyOf(name);
    if (key !== undefined) this.#ends.get(key)?.();
  }
}

/** Returns the key of a call; 7 and "7" are different ids. */
function keyOf({ caller, session, id }: CallName): string | undefined {
  if (session === undefined || id === undefined) return undefined;
  if (session.length + `${id}`.length > MAX_NAME) return undefined;
  return JSON.stringify([caller, session, id]);
}
