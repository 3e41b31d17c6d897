/**
 * The memory reclaimer: decides when freed memory goes back to the system.
 *
 * It costs the event loop 10 to 100 milliseconds, so it is done where it gains:
 * when no request came between two checks and memory stands above its floor,
 * and under load at intervals when it has grown a lot.
 *
 * @module
 */

/** The measures and means of a reclaimer. */
export interface ReclaimerOptions {
  /** Returns the resident bytes of the process. */
  readonly residentBytes: () => number;
  /** Returns the number of requests under way. */
  readonly busy: () => number;
  /** Returns the number of requests since the start. */
  readonly served: () => number;
  /** Returns freed memory to the system. */
  readonly reclaim: () => Promise<void>;
  /** Called with errors of a reclamation. */
  readonly onFailure: (error: unknown) => void;
}

/** Interval between two checks, in milliseconds. */
const LOOK_MS = 2000;

/** Growth that is worth a collection while nothing is under way, in bytes. */
const IDLE_GROWTH = 2 ** 24;

/** Checks between two collections while requests are under way. */
const BUSY_LOOKS = 5;

/** Growth that is worth a collection while requests are under way, in bytes. */
const BUSY_GROWTH = 2 ** 28;

/** A reclaimer that watches memory until it is disposed of. */
export class MemoryReclaimer implements Disposable {
  readonly #options: ReclaimerOptions;
  /** Resident bytes after the last reclamation. */
  #floor = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #running = false;
  #served = 0;
  /** Checks since the last reclamation. */
  #looks = 0;

  /** Creates an idle reclaimer; see {@linkcode start}. */
  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  /** Starts a check every two seconds; keeps no process alive. */
  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    Deno.unrefTimer(Number(this.#timer));
  }

  /** Reclaims memory if that gains something now. */
  async look(): Promise<void> {
    const { residentBytes, busy, served, reclaim, onFailure } = this.#options;
    if (this.#running) return;
    const quiet = busy() === 0 && served() === this.#served;
    this.#served = served();
    this.#looks++;
    const resident = residentBytes();
    // Memory that shrank by itself may grow again.
    this.#floor = Math.min(this.#floor, resident);
    const growth = resident - this.#floor;
    const gains = quiet
      ? growth >= IDLE_GROWTH
      : growth >= BUSY_GROWTH && this.#looks >= BUSY_LOOKS;
    if (!gains) return;
    this.#looks = 0;
    this.#running = true;
    try {
      await reclaim();
      const left = residentBytes();
      // Memory in use is no garbage: it raises the floor, unless much came
      // back. Buffers are freed beside a collection, and what was freed last is
      // trimmed with the next.
      this.#floor = resident - left >= IDLE_GROWTH ? left - IDLE_GROWTH : left;
    } catch (error) {
      onFailure(error);
    } finally {
      this.#running = false;
    }
  }

  /** Stops the checks. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
