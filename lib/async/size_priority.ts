/**
 * The rule by which small requests pass large ones, without starving them.
 *
 * ```text
 * total   │███ large, at most total − reserved ███│▒ reserved ▒│
 * small   anywhere; within `reserved` they never delay a large one, beyond it
 *         at most `maxPassed` pass the large one that is next
 * ```
 *
 * The order among small requests, and among large ones, is the caller's.
 *
 * @module
 */

/** The division of an amount between small and large requests. */
export interface SizePriorityOptions {
  /** The amount that all requests hold together. */
  readonly total: number;
  /** The part of it that large requests never take; 0 by default. */
  readonly reserved?: number | undefined;
  /**
   * The maximum number of small requests that delay one large request; 16 by
   * default.
   */
  readonly maxPassed?: number | undefined;
}

/** A request for a part of the amount. */
export interface SizedRequest {
  /** The part that it takes. */
  readonly amount: number;
  /** True if it may pass large ones. */
  readonly small: boolean;
}

/** The default maximum of small requests that delay a large one. */
const MAX_PASSED = 16;

/** Chooses the next request and counts the amounts that are held. */
export class SizePriority<T extends SizedRequest> {
  readonly #total: number;
  readonly #reserved: number;
  readonly #maxPassed: number;
  readonly #passed = new WeakMap<T, number>();
  #small = 0;
  #large = 0;

  /** Creates a division with everything free. */
  constructor(
    { total, reserved = 0, maxPassed = MAX_PASSED }: SizePriorityOptions,
  ) {
    this.#total = total;
    this.#reserved = reserved;
    this.#maxPassed = maxPassed;
  }

  /** The amount that is held. */
  get held(): number {
    return this.#small + this.#large;
  }

  /** The maximum that a large request can hold. */
  get mostForLarge(): number {
    return this.#total - this.#reserved;
  }

  /** Returns true if `amount` is free, reserved or not. */
  fits(amount: number): boolean {
    return this.held + amount <= this.#total;
  }

  /**
   * Returns the next waiting request whose amount is available.
   *
   * @param order Waiting requests, the first of each kind before the others.
   */
  next(order: readonly T[]): T | undefined {
    const large = order.find(({ small }) => !small);
    const small = order.find(({ small }) => small);
    if (small !== undefined && this.fits(small.amount)) {
      const passes = large === undefined || this.#isReserved(small) ||
        this.#passedBy(large) < this.#maxPassed;
      if (passes) return small;
    }
    if (large === undefined || !this.fits(large.amount)) return undefined;
    return this.#large + large.amount <= this.mostForLarge ? large : undefined;
  }

  /**
   * Counts `request` as held.
   *
   * @param order Requests that still wait.
   */
  take(request: T, order: readonly T[]): void {
    if (!request.small) {
      this.#large += request.amount;
      return;
    }
    const large = order.find(({ small }) => !small);
    if (large !== undefined && !this.#isReserved(request)) {
      this.#passed.set(large, this.#passedBy(large) + 1);
    }
    this.#small += request.amount;
  }

  /** Releases `amount` of the share of a request. */
  release({ small }: T, amount: number): void {
    if (small) this.#small -= amount;
    else this.#large -= amount;
  }

  /**
   * Returns true if a small request fits in the part that large ones never
   * take.
   */
  #isReserved({ amount }: T): boolean {
    return this.#small + amount <= this.#reserved;
  }

  #passedBy(large: T): number {
    return this.#passed.get(large) ?? 0;
  }
}
