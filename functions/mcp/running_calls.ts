/**
 * Calls that are under way, so that a later message can end them.
 *
 * A cancellation comes as a request of its own. All that is kept of a session
 * is what it has running: nothing outlives a call, and any id will do.
 *
 * @module
 */

/** An id that a client gave its message. */
export type MessageId = string | number;

/** Calls that are under way, by session and message. */
export class RunningCalls {
  readonly #ends = new Map<string, () => void>();

  /** How many there are. */
  get size(): number {
    return this.#ends.size;
  }

  /**
   * Notes a call until what is returned is called. One without a session or an
   * id cannot be named later, so it is not noted.
   *
   * @param end Ends it early.
   */
  add(
    session: string | undefined,
    id: MessageId | undefined,
    end: () => void,
  ): () => void {
    if (session === undefined || id === undefined) return () => {};
    const key = keyOf(session, id);
    this.#ends.set(key, end);
    return () => {
      if (this.#ends.get(key) === end) this.#ends.delete(key);
    };
  }

  /** Ends a call, if it still runs. */
  cancel(session: string | undefined, id: MessageId | undefined): void {
    if (session === undefined || id === undefined) return;
    this.#ends.get(keyOf(session, id))?.();
  }
}

/** 7 and "7" are different ids. */
function keyOf(session: string, id: MessageId): string {
  return JSON.stringify([session, id]);
}
