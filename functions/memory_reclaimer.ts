/**
 * The memory reclaimer: decides when freed memory goes back to the system.
 *
 * It costs a few milliseconds of the event loop, so it is done where it gains:
 * once requests have ended and memory stands above what it was after the last
 * time, and under load when it has grown by a lot.
 *
 * @module
 */

/** What is watched, and what is done. */
export interface ReclaimerOptions {
  /** Returns the resident bytes of the process. */
  readonly residentBytes: () => number;
  /** Returns the number of requests under way. */
  readonly busy: () => number;
  /** Returns freed memory to the system. */
  readonly reclaim: () => Promise<void>;
  /** Called with what goes wrong. */
  readonly onFailure: (error: unknown) => void;
}

/** Interval of looking, in milliseconds. */
const LOOK_MS = 2000;

/** Growth that is worth a collection while nothing is under way, in bytes. */
const IDLE_GROWTH = 2 ** 24;

/** Growth that is worth a collection while requests are under way, in bytes. */
const BUSY_GROWTH = 2 ** 28;

/** Watches memory until it is disposed of. */
export class MemoryReclaimer implements Disposable {
  readonly #options: ReclaimerOptions;
  /** Resident bytes after the last time. */
  #floor = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #running = false;

  /** Watches nothing yet; see {@linkcode start}. */
  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  /** Looks every two seconds; keeps no process alive. */
  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    Deno.unrefTimer(Number(this.#timer));
  }

  /** Reclaims if it gains something now. */
  async look(): Promise<void> {
    const { residentBytes, busy, reclaim, onFailure } = this.#options;
    if (this.#running) return;
    const resident = residentBytes();
    // Memory that shrank by itself may grow again.
    this.#floor = Math.min(this.#floor, resident);
    const growth = resident - this.#floor;
    if (growth < (busy() === 0 ? IDLE_GROWTH : BUSY_GROWTH)) return;
    this.#running = true;
    try {
      await reclaim();
      // Memory in use is no garbage: it is not looked for again.
      this.#floor = residentBytes();
    } catch (error) {
      onFailure(error);
    } finally {
      this.#running = false;
    }
  }

  /** Stops looking. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
