/**
 * The speculation controller: turns speculation on and off by the acceptance of
 * drafts.
 *
 * Scoring a window costs more than scoring one code. If too few drafts are
 * accepted, a number of codes is drawn one by one before the next trial; each
 * consecutive failure doubles that number.
 *
 * It depends only on the number of decided codes, never on their values, so
 * that the distribution of pictures does not change.
 *
 * @module
 */

/** Options of {@linkcode SpeculationController}. */
export interface SpeculationOptions {
  /** Number of forward passes in a trial of speculation. */
  readonly trial: number;
  /** The average number of codes that a forward pass of a trial must decide. */
  readonly worth: number;
  /** Number of codes drawn one by one after the first failure. */
  readonly rest: number;
}

/**
 * The defaults for a CPU, on which a forward pass of eight codes takes 1.5 to 2
 * times as long as one of a single code, with weights in floats.
 */
const DEFAULTS: SpeculationOptions = { trial: 8, worth: 1.8, rest: 16 };

/** The state of {@linkcode SpeculationController}. */
export interface SpeculationState {
  /** Forward passes of the current trial. */
  readonly forwards: number;
  /** Number of codes that they decided. */
  readonly decided: number;
  /** Number of codes still to draw one by one. */
  readonly resting: number;
  /** Number of codes to draw one by one after the next failure. */
  readonly nextRest: number;
}

/** Decides whether the next forward pass speculates. */
export class SpeculationController {
  readonly #options: SpeculationOptions;
  #forwards: number;
  #decided: number;
  /** Number of codes still to draw one by one. */
  #resting: number;
  #nextRest: number;

  /** Creates a controller that speculates first, or continues from `state`. */
  constructor(
    options: SpeculationOptions = DEFAULTS,
    state?: SpeculationState,
  ) {
    this.#options = options;
    this.#nextRest = state?.nextRest ?? options.rest;
    this.#forwards = state?.forwards ?? 0;
    this.#decided = state?.decided ?? 0;
    this.#resting = state?.resting ?? 0;
  }

  /** The state to continue from. */
  get state(): SpeculationState {
    return {
      forwards: this.#forwards,
      decided: this.#decided,
      resting: this.#resting,
      nextRest: this.#nextRest,
    };
  }

  /** True if the next forward pass should speculate. */
  get guesses(): boolean {
    return this.#resting === 0;
  }

  /** Records the number of codes that a forward pass has decided. */
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
