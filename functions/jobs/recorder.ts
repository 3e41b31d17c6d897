/**
 * What happens to a job, written down as it happens.
 *
 * A job that goes on after a restart tells its rows from the first again: those
 * that are written down already are left out, so that a reader sees each once.
 *
 * @module
 */

import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import type { WireEvent } from "../http/sse.ts";
import type { JobStore } from "./store/job_store.ts";

/**
 * From how many codes on a picture that stopped goes on. With fewer it starts
 * over, which takes seconds and gives the same to the bit. One that goes on has
 * its rows in the prompt, which rounds otherwise than the steps that drew them,
 * by about 1e-5: a draw that falls between the two comes out otherwise.
 */
export const WORTH_CODES = 1024;

/**
 * Called when an event is written down.
 *
 * @param pictured The event as it came, if it had a picture so far.
 */
export type OnEvent = (pictured: WireEvent | undefined) => void;

/** Writes down one run of a job. */
export class Recorder {
  readonly #store: JobStore;
  readonly #id: string;
  readonly #now: () => number;
  readonly #onEvent: OnEvent;
  /** Rows and pictures that are written down. */
  readonly #seen = new Set<string>();
  /** Parts of an answer that an earlier run wrote down. */
  #deltasToSkip = 0;
  /** Rows and parts of an answer that are written down. */
  #done = 0;
  #total: number | undefined;
  /** The end of an answer, until it is known whether it is the job's. */
  completed: WireEvent | undefined;

  /** Goes on after what is written down. */
  constructor(
    store: JobStore,
    id: string,
    now: () => number,
    onEvent: OnEvent,
  ) {
    this.#store = store;
    this.#id = id;
    this.#now = now;
    this.#onEvent = onEvent;
    for (
      const { event, image, index } of store.subjectsOf(
        id,
        "row",
        "image",
        "delta",
      )
    ) {
      if (event === "delta") this.#deltasToSkip++;
      else this.#seen.add(`${event} ${image} ${index}`);
      if (event !== "image") this.#done++;
    }
  }

  /**
   * For a call's `observe`.
   *
   * @param alongside Part of the same transaction.
   */
  observe(event: WireEvent, alongside: () => void = () => {}): void {
    if (event.event === "completed") {
      this.completed = event;
      return;
    }
    if (event.event === "delta" && this.#deltasToSkip > 0) {
      this.#deltasToSkip--;
      return;
    }
    const key = keyOf(event);
    if (key !== undefined && this.#seen.has(key)) return;
    const starts = event.event === "started";
    const counts = event.event === "row" || event.event === "delta";
    const done = this.#done + (counts ? 1 : 0);
    const total = starts ? rowsIn(event.data) : this.#total;
    const kept = withoutPicture(event);
    this.#store.transact(() => {
      if (starts) this.#store.start(this.#id, this.#now());
      this.#store.append(this.#id, kept, { done, total });
      alongside();
    });
    // Only what is written counts: there may have been no room.
    if (key !== undefined) this.#seen.add(key);
    this.#done = done;
    this.#total = total;
    this.#onEvent(kept === event ? undefined : event);
  }

  /** For a call's `keep`. */
  keep(image: number, halfway: ResumeState | undefined): void {
    if (halfway === undefined || halfway.codes.length < WORTH_CODES) return;
    this.#store.keepHalfway(this.#id, image, halfway);
  }
}

/** Rows and pictures are told once; undefined for the rest. */
function keyOf({ event, data }: WireEvent): string | undefined {
  if (event !== "row" && event !== "image") return undefined;
  const { image_index: image, index } = data as {
    readonly "image_index": number;
    readonly index?: number;
  };
  return `${event} ${image} ${index}`;
}

/** Pictures so far are large, and can be made again from the rows. */
function withoutPicture(event: WireEvent): WireEvent {
  const { preview, ...data } = Object(event.data);
  return preview === undefined ? event : { event: event.event, data };
}

/** Rows of all pictures, as the event that starts a drawing says. */
function rowsIn(data: unknown): number | undefined {
  const { n, rows } = data as {
    readonly n?: number;
    readonly rows?: number;
  };
  return n === undefined || rows === undefined ? undefined : n * rows;
}
