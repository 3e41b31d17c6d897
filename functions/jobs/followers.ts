/**
 * The events of jobs as readers follow them: read from the store one at a time,
 * as they are taken, and shared by readers that take the same one.
 *
 * Pictures so far are not stored, for they are large and can be made again. Who
 * follows a job that runs gets the newest.
 *
 * @module
 */

import type { StoredEvent, WireEvent } from "../http/sse.ts";
import { Notifier } from "./notifier.ts";
import { hasEnded } from "./job.ts";
import type { JobStore } from "./store/job_store.ts";
import { Readers } from "./store/readers.ts";

/** Readers of events. */
export class Followers {
  readonly #store: JobStore;
  readonly #closed: AbortSignal;
  /** By job and the event before; as long as a reader holds it. */
  readonly #shared = new Map<string, WeakRef<StoredEvent>>();
  readonly #forgotten = new FinalizationRegistry<string>((name) => {
    if (this.#shared.get(name)?.deref() === undefined) {
      this.#shared.delete(name);
    }
  });
  /** The newest row of a job, if it has a picture. */
  readonly #pictured = new Map<string, StoredEvent>();
  /** Rung when something happens to a job. */
  readonly #bells = new Notifier();
  /** Connections that follow jobs. */
  readonly readers: Readers = new Readers();

  /** @param closed Aborts when nothing runs any more. */
  constructor(store: JobStore, closed: AbortSignal) {
    this.#store = store;
    this.#closed = closed;
  }

  /** Lets readers know that something happened to a job. */
  notify(id: string): void {
    this.#bells.ring(id);
  }

  /** Lets those who follow a job have the row that was stored last as it came. */
  show(id: string, { event, data }: WireEvent): void {
    this.#pictured.set(id, {
      id: this.#store.lastEventId(id),
      event,
      data: JSON.stringify(data),
    });
  }

  /** Forgets what only readers of a job that runs get. */
  end(id: string): void {
    this.#pictured.delete(id);
    this.notify(id);
  }

  /** Comes when the job has ended, the signal aborts, or nothing runs any more. */
  async settled(id: string, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, this.#closed]);
    while (this.#goesOn(id, over)) await this.#bells.next(id, over);
  }

  /**
   * Yields the events of a job after one, as long as {@linkcode settled} waits.
   */
  async *events(
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEvent, void, undefined> {
    const over = AbortSignal.any([signal, this.#closed]);
    // A name that was refused may be another job's later.
    const name = `${id} ${this.#store.find(id)?.createdAt}`;
    for (let last = after; !signal.aborted;) {
      const event = this.#after(name, id, last);
      if (event !== undefined) {
        const pictured = this.#pictured.get(id);
        yield pictured?.id === event.id ? pictured : event;
        last = event.id;
        continue;
      }
      if (!this.#goesOn(id, over)) return;
      await this.#bells.next(id, over);
    }
  }

  #goesOn(id: string, over: AbortSignal): boolean {
    const job = this.#store.find(id);
    return job !== undefined && !hasEnded(job) && !over.aborted;
  }

  #after(name: string, id: string, last: number): StoredEvent | undefined {
    const key = `${name} ${last}`;
    const known = this.#shared.get(key)?.deref();
    if (known !== undefined) return known;
    const event = this.#store.eventAfter(id, last);
    if (event !== undefined) {
      this.#shared.set(key, new WeakRef(event));
      this.#forgotten.register(event, key);
    }
    return event;
  }
}
