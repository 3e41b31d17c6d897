/**
 * The recorder: stores the events of a job as they happen.
 *
 * A resumed job repeats its rows from the first: those that are already stored
 * are omitted, so that a reader sees each once.
 *
 * @module
 */

import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import type { EventSubject, JobStore } from "./store/job_store.ts";
import type { WireEvent } from "../http/call.ts";

/**
 * Minimum codes of an interrupted picture that is resumed. With fewer it starts
 * over, which takes seconds and gives bit-equal results. A resumed picture has
 * its rows in the prompt, whose rounding differs from that of decode steps by
 * about 1e-5, so that rare draws differ.
 */
export const WORTH_CODES = 1024;

/**
 * Share of its codes that a picture or a clip must have gained to be stored
 * again. The state has all codes: stored at every row, a clip of n rows would
 * write n² / 2 rows.
 */
const WORTH_GAIN = 1 / 64;

/** Kinds of events that are stored once, whatever their number of runs. */
const DRAWN = ["row", "frame", "image", "clip"] as const;

/**
 * Called when an event is stored.
 *
 * @param pictured The event with its preview picture, if it had one.
 */
export type OnEvent = (pictured: WireEvent | undefined) => void;

/** The recorder of one run of a job. */
export class Recorder {
  readonly #store: JobStore;
  readonly #id: string;
  readonly #now: () => number;
  readonly #onEvent: OnEvent;
  /** Keys of the rows, frames, pictures and clips that are stored. */
  readonly #seen = new Set<string>();
  /** Parts of an answer that an earlier run stored. */
  #deltasToSkip = 0;
  /** Count of the stored rows and parts of an answer. */
  #done = 0;
  #total: number | undefined;
  /** Number of codes in the stored resume states, by picture. */
  readonly #kept: number[] = [];
  /** Final event of an answer, held until the job has ended. */
  completed: WireEvent | undefined;

  /** Continues after the stored events. */
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
    for (const subject of store.subjectsOf(id, ...DRAWN, "delta")) {
      const { event } = subject;
      if (event === "delta") this.#deltasToSkip++;
      else this.#seen.add(keyOfSubject(subject));
      if (event === "row" || event === "delta") this.#done++;
    }
  }

  /**
   * Stores an event; the `observe` of a call.
   *
   * @param alongside Change in the same transaction.
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
    // Only stored events count: the store may have been full.
    if (key !== undefined) this.#seen.add(key);
    this.#done = done;
    this.#total = total;
    this.#onEvent(kept === event ? undefined : event);
  }

  /**
   * Stores a resume state if it is worth it; the `keep` of a call. An
   * interruption loses at most one of 64 rows.
   */
  keep(image: number, resumeState: ResumeState | undefined): void {
    if (resumeState === undefined) return;
    const { length } = resumeState.codes;
    const kept = this.#kept[image] ?? 0;
    if (length < WORTH_CODES || length < (1 + WORTH_GAIN) * kept) return;
    this.#kept[image] = length;
    this.#store.keepResumeState(this.#id, image, resumeState);
  }
}

/** Returns the key of what is stored once; undefined for the rest. */
function keyOf({ event, data }: WireEvent): string | undefined {
  if (!DRAWN.some((kind) => kind === event)) return undefined;
  const { image_index: image, frame, index } = data as {
    readonly "image_index": number;
    readonly frame?: number;
    readonly index?: number;
  };
  return keyOfSubject({ event, image, frame, index });
}

function keyOfSubject({ event, image, frame, index }: EventSubject): string {
  return `${event} ${image} ${frame} ${index}`;
}

/** Removes preview pictures: they are large, and rows can restore them. */
function withoutPicture(event: WireEvent): WireEvent {
  const { preview, previews, ...data } = Object(event.data);
  return preview === undefined && previews === undefined
    ? event
    : { event: event.event, data };
}

/** Returns the rows of all pictures, from the event that starts a drawing. */
function rowsIn(data: unknown): number | undefined {
  const { n, rows } = data as {
    readonly n?: number;
    readonly rows?: number;
  };
  return n === undefined || rows === undefined ? undefined : n * rows;
}
