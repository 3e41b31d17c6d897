/**
 * The sessions of one graph, by the size of their input.
 *
 * ```text
 * most recently used   720 × 720 ─▶ session 0
 *                      512 × 512 ─▶ session 1
 * least recently used  640 × 480 ─▶ session 2 ◀─ the next new size
 * ```
 *
 * A device's convolutions prepare plans for the shape of their input and
 * discard those of the shape before. With sizes that alternate, one session
 * would prepare them for every picture. Each session holds a copy of the
 * weights, so their number is limited: beyond it, or if another one cannot be
 * opened, a new size takes over the session that was used least recently. None
 * is closed before the end, and any may run any size.
 *
 * @module
 */

/** A session and the size that it has run last. */
interface SizedSession<T> {
  readonly session: Promise<T>;
  /** Size of the input; undefined before the first run. */
  size: string | undefined;
}

/** Opens and holds the sessions of one graph. */
export class SizedSessions<T extends AsyncDisposable>
  implements AsyncDisposable {
  readonly #open: () => Promise<T>;
  #limit: number;
  /** Sessions, the least recently used first. */
  #sessions: SizedSession<T>[] = [];

  /**
   * Creates the store; no session is open yet.
   *
   * @param open Opens a session.
   * @param limit The maximum number of sessions, 1 or more.
   */
  constructor(open: () => Promise<T>, limit: number) {
    this.#open = open;
    this.#limit = limit;
  }

  /**
   * Returns the session for inputs of `size`; without a size, any session, and
   * opens one if there is none.
   *
   * @throws The error of opening the only session; the next call tries again.
   */
  get(size?: string): Promise<T> {
    const chosen = this.#chosen(size) ?? this.#opened();
    chosen.size = size ?? chosen.size;
    this.#sessions = [
      ...this.#sessions.filter((other) => other !== chosen),
      chosen,
    ];
    return chosen.session;
  }

  /** Closes all sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    const sessions = this.#sessions;
    this.#sessions = [];
    for (const opened of await Promise.allSettled(sessions.map(sessionOf))) {
      if (opened.status === "rejected") continue;
      await opened.value[Symbol.asyncDispose]();
    }
  }

  /** Returns an open session to use; undefined to open another. */
  #chosen(size: string | undefined): SizedSession<T> | undefined {
    const sessions = this.#sessions;
    if (size === undefined) return sessions.at(-1);
    return sessions.find((held) => held.size === size) ??
      sessions.find((held) => held.size === undefined) ??
      (sessions.length < this.#limit ? undefined : sessions[0]);
  }

  #opened(): SizedSession<T> {
    const session = this.#open().catch((error: unknown) => {
      this.#sessions = this.#sessions.filter((held) => held !== opened);
      const [other] = this.#sessions;
      if (other === undefined) throw error;
      // The device has no memory for another one.
      this.#limit = this.#sessions.length;
      return other.session;
    });
    // The awaiting caller receives the error.
    session.catch(() => undefined);
    const opened: SizedSession<T> = { session, size: undefined };
    return opened;
  }
}

function sessionOf<T>({ session }: SizedSession<T>): Promise<T> {
  return session;
}
