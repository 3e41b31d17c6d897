/**
 * What happens to a job, written down as it happens.
 *
 * A job that goes on after a restart tells its rows from the first again: those
 * that are written down already are left out, so that a reader sees each once.
 *
 * @module
 */

import type { Halfway } from "../../lib/drawing/halfway.ts";
import type { WireEvent } from "../events.ts";
import type { Progress } from "./job.ts";
import type { JobStore } from "./job_store.ts";

/** Events that come once for each of what they are about. */
const ONCE: ReadonlySet<string> = new Set(["row", "image", "completed"]);

/** How many events are looked through at a time. */
const PAGE = 256;

/** Writes down one run of a job. */
export class Recorder {
  readonly #store: JobStore;
  readonly #id: string;
  readonly #now: () => number;
  readonly #onEvent: () => void;
  /** What of {@linkcode ONCE} is written down. */
  readonly #seen = new Set<string>();
  /** Parts of an answer that an earlier run wrote down. */
  #deltasToSkip = 0;
  #done = 0;
  #total: number | undefined;
  /** The end of an answer, until it is known whether it is the job's. */
  completed: WireEvent | undefined;

  /** Goes on after what is written down; `onEvent` hears when there is more. */
  constructor(
    store: JobStore,
    id: string,
    now: () => number,
    onEvent: () => void,
  ) {
    this.#store = store;
    this.#id = id;
    this.#now = now;
    this.#onEvent = onEvent;
    this.#readBack();
  }

  /** For a call's `observe`. */
  observe(event: WireEvent): void {
    if (event.event === "completed") {
      this.completed = event;
      return;
    }
    if (!this.#isNew(event)) return;
    if (event.event === "started") {
      this.#total = rowsIn(event.data);
      this.#store.start(this.#id, this.#now());
    }
    if (event.event === "row" || event.event === "delta") this.#done++;
    this.#store.append(this.#id, event, this.#progress());
    this.#onEvent();
  }

  /** For a call's `keep`. */
  keep(image: number, halfway: Halfway | undefined): void {
    if (halfway === undefined) return;
    this.#store.keepHalfway(this.#id, image, halfway);
  }

  #progress(): Progress {
    return { done: this.#done, total: this.#total };
  }

  #readBack(): void {
    for (let after = 0;;) {
      const page = this.#store.eventsAfter(this.#id, after, PAGE);
      for (const { event, data } of page) {
        if (event === "delta") this.#deltasToSkip++;
        if (event === "row" || event === "delta") this.#done++;
        if (ONCE.has(event)) this.#seen.add(keyOf(event, JSON.parse(data)));
      }
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  }

  #isNew({ event, data }: WireEvent): boolean {
    if (event === "delta") return this.#deltasToSkip-- <= 0;
    if (!ONCE.has(event)) return true;
    const key = keyOf(event, data);
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}

/** What an event is about. */
function keyOf(event: string, data: unknown): string {
  const { image_index: image, index } = data as {
    readonly "image_index"?: number;
    readonly index?: number;
  };
  return `${event} ${image} ${index}`;
}

/** Rows of all pictures, as the event that starts a drawing says. */
function rowsIn(data: unknown): number | undefined {
  const { n, rows } = data as {
    readonly n?: number;
    readonly rows?: number;
  };
  return n === undefined || rows === undefined ? undefined : n * rows;
}
