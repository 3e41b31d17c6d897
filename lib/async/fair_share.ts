/**
 * The limit that several callers share: slots, bytes or pixels, of which one
 * caller never takes everything.
 *
 * The rule is the dynamic threshold of shared-buffer switches (Choudhury and
 * Hahne, 1998): a caller may hold `factor` times what would be free afterwards.
 * With `factor` 3 one caller alone holds three quarters of the total, two hold
 * three sevenths each, and some always stays free for a new caller.
 *
 * @module
 */

/**
 * The ratio of the amount that one caller may hold to the amount that stays
 * free.
 */
const FACTOR = 3;

/** Counts the amount that each caller holds. */
export class FairShare {
  readonly #most: number;
  readonly #total: number;
  readonly #amounts = new Map<string, number>();
  #sum = 0;

  /**
   * Creates a limit with everything free.
   *
   * @param most The maximum that one caller alone can hold. The total is a
   * third more, which is free for callers that arrive later.
   * @param least The minimum amount that stays free for a second caller,
   * however small `most` is.
   */
  constructor(most: number, least = 0) {
    this.#most = most;
    this.#total = most +
      Math.max(most / FACTOR, least * (FACTOR + 1) / FACTOR);
  }

  /** The amount held by all callers together. */
  get held(): number {
    return this.#sum;
  }

  /** Returns the amount held by `caller`. */
  heldBy(caller: string): number {
    return this.#amounts.get(caller) ?? 0;
  }

  /** Returns true if {@linkcode take} would succeed. */
  fits(caller: string, amount: number): boolean {
    const free = this.#total - this.#sum - amount;
    const limit = Math.min(this.#most, FACTOR * free);
    // A rounding error must not refuse the last slot.
    return this.heldBy(caller) + amount <= limit + 1e-6;
  }

  /**
   * Takes `amount` for `caller`.
   *
   * @returns True if it was available; nothing is taken otherwise.
   */
  take(caller: string, amount: number): boolean {
    const fits = this.fits(caller, amount);
    if (fits) this.force(caller, amount);
    return fits;
  }

  /** Takes `amount` for `caller` even if it is not available. */
  force(caller: string, amount: number): void {
    this.#sum += amount;
    this.#amounts.set(caller, this.heldBy(caller) + amount);
  }

  /** Releases an amount that {@linkcode take} took, or a part of it. */
  release(caller: string, amount: number): void {
    const left = this.heldBy(caller) - amount;
    this.#sum -= amount;
    if (left > 0) this.#amounts.set(caller, left);
    else this.#amounts.delete(caller);
  }
}
