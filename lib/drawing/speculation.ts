/**
 * When guessing ahead is worth it.
 *
 * Judging a window costs more than judging one code. Where too few guesses are
 * right, drawing goes on code by code for a while, then tries again; each
 * failure in a row doubles the while.
 *
 * Looks only at how many codes were decided, never at which: a guess that is
 * dropped is dropped whatever it was, so that the law of pictures stays.
 *
 * @module
 */

/** How patience works. */
export interface PatienceOptions {
  /** Forwards after which guessing is judged. */
  readonly trial: number;
  /** Codes a forward that it must decide on average. */
  readonly worth: number;
  /** Codes that are drawn one by one after the first failure. */
  readonly rest: number;
}

/**
 * A forward of eight codes takes a CPU 1.5 to 2 times as long as one of one
 * while weights are floats.
 */
const DEFAULTS: PatienceOptions = { trial: 8, worth: 1.8, rest: 16 };

/** How guessing went so far. */
export interface PatienceState {
  /** Forwards of the trial at hand. */
  readonly forwards: number;
  /** Codes that they decided. */
  readonly decided: number;
  /** Codes to draw one by one. */
  readonly resting: number;
  /** How many after the next failure. */
  readonly nextRest: number;
}

/** Decides forward by forward. */
export class SpeculationController {
  readonly #options: PatienceOptions;
  #forwards: number;
  #decided: number;
  /** Codes to draw one by one. */
  #resting: number;
  #nextRest: number;

  /** Starts by guessing, or goes on from `state`. */
  constructor(options: PatienceOptions = DEFAULTS, state?: PatienceState) {
    this.#options = options;
    this.#nextRest = state?.nextRest ?? options.rest;
    this.#forwards = state?.forwards ?? 0;
    this.#decided = state?.decided ?? 0;
    this.#resting = state?.resting ?? 0;
  }

  /** How guessing went so far. */
  get state(): PatienceState {
    return {
      forwards: this.#forwards,
      decided: this.#decided,
      resting: this.#resting,
      nextRest: this.#nextRest,
    };
  }

  /** Whether the next forward should guess. */
  get guesses(): boolean {
    return this.#resting === 0;
  }

  /** Notes how many codes a forward has decided. */
  note(decided: number): void {
    if (this.#resting > 0) {
      this.#resting = Math.max(0, this.#resting - decided);
      return;
    }
    this.#forwards++;
    this.#decided += decided;
    const { trial, worth, rest } = this.#options;
    if (this.#forwards < trial) return;
    if (this.#decided < worth * this.#forwards) {
      this.#resting = this.#nextRest;
      this.#nextRest *= 2;
    } else {
      this.#nextRest = rest;
    }
    this.#forwards = 0;
    this.#decided = 0;
  }
}
