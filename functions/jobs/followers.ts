/**
 * The followers of jobs: events are read from the store one at a time, on
 * demand, and shared by readers at the same position.
 *
 * Preview pictures are not stored, since they are large and can be decoded
 * again. Readers of a running job receive the newest.
 *
 * @module
 */

import type { StoredEvent } from "../http/sse.ts";
import { Notifier } from "../../lib/async/notifier.ts";
import { hasEnded } from "./job.ts";
import type { JobStore } from "./store/job_store.ts";
import { Readers } from "./store/readers.ts";
import type { WireEvent } from "../http/call.ts";

/** The event readers of jobs. */
export class Followers {
  readonly #store: JobStore;
  readonly #closed: AbortSignal;
  /** Events by job and preceding event, as long as a reader holds them. */
  readonly #shared = new Map<string, WeakRef<StoredEvent>>();
  readonly #forgotten = new FinalizationRegistry<string>((name) => {
    if (this.#shared.get(name)?.deref() === undefined) {
      this.#shared.delete(name);
    }
  });
  /** Newest row of each job, if it has a picture. */
  readonly #pictured = new Map<string, StoredEvent>();
  /** Notifies readers of a job's changes. */
  readonly #notifier = new Notifier();
  /** Connections that follow jobs. */
  readonly readers: Readers = new Readers();

  /** @param closed Aborts when no job runs any more. */
  constructor(store: JobStore, closed: AbortSignal) {
    this.#store = store;
    this.#closed = closed;
  }

  /** Notifies the readers of a job. */
  notify(id: string): void {
    this.#notifier.notify(id);
  }

  /** Sends the readers of a job its last stored row with the picture. */
  show(id: string, { event, data }: WireEvent): void {
    this.#pictured.set(id, {
      id: this.#store.lastEventId(id),
      event,
      data: JSON.stringify(data),
    });
  }

  /** Drops the pictures of a job that has ended. */
  end(id: string): void {
    this.#pictured.delete(id);
    this.notify(id);
  }

  /** Resolves when the job has ended, the signal aborts, or no job runs. */
  async settled(id: string, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, this.#closed]);
    while (this.#goesOn(id, over)) await this.#notifier.next(id, over);
  }

  /** Yields events of a job after one, until {@linkcode settled} resolves. */
  async *events(
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEvent, void, undefined> {
    const over = AbortSignal.any([signal, this.#closed]);
    // The name of a refused job may be used by another.
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
      await this.#notifier.next(id, over);
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
