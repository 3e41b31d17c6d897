/**
 * The calls that are under way, so that a later message of the same caller can
 * end them.
 *
 * A cancellation comes as a request of its own. All that is kept of a session
 * is what it has running: nothing outlives a call, and any id will do. A caller
 * reaches its own calls alone, whatever session it names.
 *
 * @module
 */

/** An id that a client gave its message. */
export type MessageId = string | number;

/** The name of a call; without a session or an id it cannot be named later. */
export interface CallName {
  /** The caller, as limits count callers. */
  readonly caller: string;
  /** As the client named it. */
  readonly session: string | undefined;
  /** As the client named it. */
  readonly id: MessageId | undefined;
}

/** Calls that are noted at once. */
export const MAX_CALLS = 1024;

/** Characters of a name that is noted. */
const MAX_NAME = 512;

/** Calls that are under way, by name. */
export class RunningCalls {
  readonly #ends = new Map<string, () => void>();

  /** How many there are. */
  get size(): number {
    return this.#ends.size;
  }

  /**
   * Notes a call until what is returned is called; not one that cannot be
   * named, nor more than {@linkcode MAX_CALLS}.
   *
   * @param end Ends it early.
   */
  add(name: CallName, end: () => void): () => void {
    const key = keyOf(name);
    if (key === undefined || this.#ends.size >= MAX_CALLS) return () => {};
    this.#ends.set(key, end);
    return () => {
      if (this.#ends.get(key) === end) this.#ends.delete(key);
    };
  }

  /** Ends a call, if it still runs. */
  cancel(name: CallName): void {
    const key = keyOf(name);
    if (key !== undefined) this.#ends.get(key)?.();
  }
}

/** 7 and "7" are different ids. */
function keyOf({ caller, session, id }: CallName): string | undefined {
  if (session === undefined || id === undefined) return undefined;
  if (session.length + `${id}`.length > MAX_NAME) return undefined;
  return JSON.stringify([caller, session, id]);
}
