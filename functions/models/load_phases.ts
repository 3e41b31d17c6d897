/**
 * The phases of a start with their times, and the progress of transfers.
 *
 * ```text
 * 0 ──── resolve ── download ─────────────── library ─ graphs ─ weights ─ warm up
 * │      └ startedAt        └ bytes, a rate, when it will be here
 * └ the process starts
 * ```
 *
 * Phases may overlap. A repeated phase resumes: its seconds add up, and
 * concurrent runs count once.
 *
 * @module
 */

import type { RunPhase } from "../../lib/loading_phase.ts";

/** A transfer of bytes. */
export interface Transfer {
  /** Bytes received so far. */
  readonly bytes: number;
  /** Bytes in all; undefined while the size is unknown. */
  readonly totalBytes: number | undefined;
  /** Recent rate; undefined while there is no estimate. */
  readonly bytesPerSecond: number | undefined;
  /** Source of the bytes, for display. */
  readonly place: string;
}

/** A phase of a start. */
export interface Phase {
  /** Name of the phase. */
  readonly name: string;
  /** Start of the phase, in seconds since the process started. */
  readonly startedAt: number;
  /** Duration of the phase; undefined while it lasts. */
  readonly seconds: number | undefined;
  /** Progress of its transfer, if it transfers bytes. */
  readonly transfer: Transfer | undefined;
}

/** The progress of a transfer, as its source reports it. */
export interface LoadProgress {
  /** Name of the phase that the transfer belongs to. */
  readonly phase: string;
  /** Bytes received so far. */
  readonly bytes: number;
  /** Bytes in all; undefined while the size is unknown. */
  readonly totalBytes: number | undefined;
  /** Source of the bytes, for display. */
  readonly place: string;
}

/** Listener for phases that have ended, and for transfers at intervals. */
export type PhaseListener = (phase: Phase) => void;

/** A phase as it is recorded, in milliseconds. */
interface Entry {
  readonly name: string;
  readonly startedAt: number;
  /** Number of concurrent runs. */
  running: number;
  /** Start of the current run. */
  since: number;
  /** Duration of the runs that have ended. */
  spent: number;
  transfer: LoadProgress | undefined;
  /** Samples of the bytes received, oldest first. */
  readonly seen: { readonly at: number; readonly bytes: number }[];
}

/** Period that a rate is measured over. */
const RATE_MS = 10_000;

/** Interval between two reports of a transfer. */
const TELL_MS = 5_000;

/** Retry-After seconds for phases that take seconds. */
const SOON_SECONDS = 2;

/** Retry-After seconds while the duration of a transfer is unknown. */
const UNKNOWN_SECONDS = 10;

/** Upper bound of Retry-After seconds: later estimates are unreliable. */
const MAX_SECONDS = 600;

/** A log of the phases of one resource. */
export class PhaseLog {
  readonly #entries = new Map<string, Entry>();
  readonly #listener: PhaseListener;
  readonly #now: () => number;
  /** Phase of the current transfer. */
  #following: Entry | undefined;
  #toldAt = 0;
  /** Log of the phases that several resources share. */
  #shared: PhaseLog | undefined;

  /**
   * Creates an empty log.
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

  /** Phases in order of their start. */
  get phases(): readonly Phase[] {
    const own = [...this.#entries.values()].map((entry) =>
      this.#phaseOf(entry)
    );
    return [...this.#shared?.phases ?? [], ...own]
      .sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Includes the phases of `shared`, without reporting them again. */
  share(shared: PhaseLog): void {
    this.#shared = shared;
  }

  /** Retry-After seconds while a phase is under way. */
  get retryAfterSeconds(): number {
    const entry = this.#following;
    if (entry === undefined || entry.name === "resolve") return SOON_SECONDS;
    const { bytes, totalBytes, bytesPerSecond } = this.#phaseOf(entry)
      .transfer!;
    if (totalBytes === undefined || !bytesPerSecond) return UNKNOWN_SECONDS;
    const seconds = Math.ceil((totalBytes - bytes) / bytesPerSecond);
    return Math.min(SOON_SECONDS + Math.max(0, seconds), MAX_SECONDS);
  }

  /** Runs a part of the work as a phase. */
  readonly run: RunPhase = async (name, work) => {
    const entry = this.#begin(name);
    try {
      return await work();
    } finally {
      this.#end(entry);
    }
  };

  /** Records the progress of a transfer; a new phase ends the one before. */
  follow(progress: LoadProgress): void {
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

  /** Ends the current transfer. */
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
  { bytes, totalBytes, place }: LoadProgress,
): Omit<Transfer, "bytesPerSecond"> {
  return { bytes, totalBytes, place };
}
