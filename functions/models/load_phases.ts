/**
 * What a start is made of: phases with their times, and how far a transfer is.
 *
 * ```text
 * 0 ──── resolve ── download ─────────────── library ─ graphs ─ weights ─ warm up
 * │      └ startedAt        └ bytes, a rate, when it will be here
 * └ the process starts
 * ```
 *
 * Phases may overlap. One that comes again goes on: its seconds add up, and what
 * runs twice at once counts once.
 *
 * @module
 */

import type { Stage } from "../../lib/stage.ts";

/** Bytes on their way. */
export interface Transfer {
  /** That are here. */
  readonly bytes: number;
  /** In all; undefined while that is not known. */
  readonly totalBytes: number | undefined;
  /** Lately; undefined while nothing can be said. */
  readonly bytesPerSecond: number | undefined;
  /** Where they come from, for people. */
  readonly place: string;
}

/** A part of a start. */
export interface Phase {
  /** What is done. */
  readonly name: string;
  /** When it began, in seconds since the process started. */
  readonly startedAt: number;
  /** How long it took; undefined while it lasts. */
  readonly seconds: number | undefined;
  /** How far it is, where bytes are moved. */
  readonly transfer: Transfer | undefined;
}

/** How far bytes are, as whoever moves them tells. */
export interface Progress {
  /** What is done with them. */
  readonly phase: string;
  /** That are here. */
  readonly bytes: number;
  /** In all; undefined while that is not known. */
  readonly totalBytes: number | undefined;
  /** Where they come from, for people. */
  readonly place: string;
}

/** Hears of phases that have ended, and now and then of one that moves bytes. */
export type PhaseListener = (phase: Phase) => void;

/** A phase as it is kept, in milliseconds. */
interface Entry {
  readonly name: string;
  readonly startedAt: number;
  /** How often it runs at the moment. */
  running: number;
  /** Since when it runs. */
  since: number;
  /** Of what has ended. */
  spent: number;
  transfer: Progress | undefined;
  /** What was here when, oldest first. */
  readonly seen: { readonly at: number; readonly bytes: number }[];
}

/** Over how long a rate is taken. */
const RATE_MS = 10_000;

/** How often a transfer is told of. */
const TELL_MS = 5_000;

/** How long a client waits for what comes in seconds. */
const SOON_SECONDS = 2;

/** The same while nobody can say how long a transfer takes. */
const UNKNOWN_SECONDS = 10;

/** Later than this nobody can preflight. */
const MAX_SECONDS = 600;

/** The phases of one thing. */
export class PhaseLog {
  readonly #entries = new Map<string, Entry>();
  readonly #listener: PhaseListener;
  readonly #now: () => number;
  /** Of the transfer at hand. */
  #following: Entry | undefined;
  #toldAt = 0;
  /** What is done for several things at once. */
  #shared: PhaseLog | undefined;

  /**
   * Nothing has begun.
   *
   * @param now A clock, in milliseconds since the process started.
   */
  constructor(
    listener: PhaseListener = () => {},
    now: () => number = () => performance.now(),
  ) {
    this.#listener = listener;
    this.#now = now;
  }

  /** In the order in which they began. */
  get phases(): readonly Phase[] {
    const own = [...this.#entries.values()].map((entry) =>
      this.#phaseOf(entry)
    );
    return [...this.#shared?.phases ?? [], ...own]
      .sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Counts the phases of `shared` as its own, without telling them again. */
  share(shared: PhaseLog): void {
    this.#shared = shared;
  }

  /** When asking again may help, while something is under way. */
  get retryAfterSeconds(): number {
    const entry = this.#following;
    if (entry === undefined || entry.name === "resolve") return SOON_SECONDS;
    const { bytes, totalBytes, bytesPerSecond } = this.#phaseOf(entry)
      .transfer!;
    if (totalBytes === undefined || !bytesPerSecond) return UNKNOWN_SECONDS;
    const seconds = Math.ceil((totalBytes - bytes) / bytesPerSecond);
    return Math.min(SOON_SECONDS + Math.max(0, seconds), MAX_SECONDS);
  }

  /** Does a part of the work as a phase. */
  readonly run: Stage = async (name, work) => {
    const entry = this.#begin(name);
    try {
      return await work();
    } finally {
      this.#end(entry);
    }
  };

  /** A transfer is so far; another phase than before ends that one. */
  follow(progress: Progress): void {
    if (this.#following?.name !== progress.phase) {
      this.arrived();
      this.#following = this.#begin(progress.phase);
      this.#toldAt = this.#now();
    }
    const entry = this.#following!;
    const at = this.#now();
    entry.transfer = progress;
    entry.seen.push({ at, bytes: progress.bytes });
    while (entry.seen.length > 2 && at - entry.seen[1]!.at >= RATE_MS) {
      entry.seen.shift();
    }
    if (at - this.#toldAt < TELL_MS) return;
    this.#toldAt = at;
    this.#listener(this.#phaseOf(entry));
  }

  /** The transfer is over. */
  arrived(): void {
    const entry = this.#following;
    this.#following = undefined;
    if (entry !== undefined) this.#end(entry);
  }

  #begin(name: string): Entry {
    const now = this.#now();
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = {
        name,
        startedAt: now,
        running: 0,
        since: now,
        spent: 0,
        transfer: undefined,
        seen: [],
      };
      this.#entries.set(name, entry);
    }
    if (entry.running++ === 0) entry.since = now;
    return entry;
  }

  #end(entry: Entry): void {
    if (--entry.running > 0) return;
    entry.spent += this.#now() - entry.since;
    this.#listener(this.#phaseOf(entry));
  }

  #phaseOf({ name, startedAt, running, spent, transfer, seen }: Entry): Phase {
    return {
      name,
      startedAt: startedAt / 1000,
      seconds: running > 0 ? undefined : spent / 1000,
      transfer: transfer && transfer.phase !== "resolve"
        ? { ...rateOf(seen), ...withoutPhase(transfer) }
        : undefined,
    };
  }
}

function rateOf(seen: Entry["seen"]): Pick<Transfer, "bytesPerSecond"> {
  const first = seen[0];
  const last = seen.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) {
    return { bytesPerSecond: undefined };
  }
  const seconds = (last.at - first.at) / 1000;
  return { bytesPerSecond: (last.bytes - first.bytes) / seconds };
}

function withoutPhase(
  { bytes, totalBytes, place }: Progress,
): Omit<Transfer, "bytesPerSecond"> {
  return { bytes, totalBytes, place };
}
