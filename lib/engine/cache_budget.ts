/**
 * The budget of the KV cache: the tokens that each slot and snapshot may hold.
 *
 * ```text
 * budget ┌ running slots   the maximum of their rows, reserved at the start
 *        ├ idle slots      pages that were written, until they are trimmed
 *        ├ snapshots       of prefixes, until they are evicted
 *        └ free
 * ```
 *
 * Reservations of running slots are never reduced; idle memory is reclaimed
 * when it is needed. The system allocates the pages of a slot when they are
 * first written, and keeps them: an empty slot may still hold memory.
 *
 * The unit is tokens, not bytes; the owner of the budget trims slots and evicts
 * snapshots.
 *
 * @module
 */

/** A store of snapshots that may be evicted, such as `PrefixCache`. */
export interface Evictable {
  /** Number of tokens that all of them hold. */
  readonly tokensHeld: number;
}

/** The memory to reclaim for a request. */
export interface Reclaim {
  /** Idle slots to trim. */
  readonly trim: readonly number[];
  /** The minimum number of snapshot tokens to evict; 0 for none. */
  readonly evict: number;
}

interface Slot {
  /** Tokens reserved by the running row; undefined if idle. */
  reserved: number | undefined;
  /** The maximum number of tokens written since the last trim. */
  touched: number;
}

/** Divides the tokens of the cache among slots and snapshots. */
export class CacheBudget {
  readonly #slots: readonly Slot[];
  readonly #snapshots: Evictable;
  /** Number of tokens that slots and snapshots may hold together. */
  readonly tokens: number;

  /** Creates the budget; nothing is reserved or touched. */
  constructor(tokens: number, slots: number, snapshots: Evictable) {
    this.tokens = tokens;
    this.#snapshots = snapshots;
    this.#slots = Array.from(
      { length: slots },
      () => ({ reserved: undefined, touched: 0 }),
    );
  }

  /** Returns a copy for simulation; the snapshots are shared. */
  copy(): CacheBudget {
    const copy = new CacheBudget(this.tokens, this.slots, this.#snapshots);
    copy.#slots.forEach((slot, i) => Object.assign(slot, this.#slots[i]));
    return copy;
  }

  /** Number of slots. */
  get slots(): number {
    return this.#slots.length;
  }

  /** Slots in which no row runs, lowest first. */
  get idle(): number[] {
    return [...this.#slots.keys()]
      .filter((slot) => this.#at(slot).reserved === undefined);
  }

  /** The highest slot in which a row runs; -1 if none runs. */
  get highestInUse(): number {
    return this.#slots.findLastIndex(({ reserved }) => reserved !== undefined);
  }

  /** Number of tokens that slots and snapshots hold. */
  get tokensHeld(): number {
    const slots = this.#slots
      .map(({ reserved, touched }) => reserved ?? touched);
    return sum(slots) + this.#snapshots.tokensHeld;
  }

  /**
   * Returns true if rows of the given lengths, in tokens, fit when nothing else
   * runs.
   */
  fitsAlone(rows: readonly number[]): boolean {
    return rows.length <= this.slots && sum(rows) <= this.tokens;
  }

  /**
   * Returns the memory to reclaim before rows of the given lengths, in tokens,
   * start.
   *
   * @param slots Idle slots, one for each row.
   * @returns Undefined if running slots hold too much of the budget.
   */
  reclaimForRows(
    rows: readonly number[],
    slots: readonly number[],
  ): Reclaim | undefined {
    // Trimmed even if the budget suffices: otherwise a short answer would hold
    // the memory of an earlier picture for as long as it runs.
    const longer = slots.filter((slot, i) => this.#at(slot).touched > rows[i]!);
    const touched = sum(slots.map((slot) => this.#at(slot).touched));
    const spared = new Set(slots);
    const room = this.#reclaim(sum(rows) - touched, spared);
    return room && { ...room, trim: [...longer, ...room.trim] };
  }

  /**
   * Returns the memory to reclaim before a snapshot of `tokens` tokens is
   * taken.
   */
  reclaimForSnapshot(tokens: number): Reclaim | undefined {
    return this.#reclaim(tokens, new Set());
  }

  /**
   * Records that a row starts.
   *
   * @param tokens Maximum number of tokens of the row.
   */
  reserve(slot: number, tokens: number): void {
    const state = this.#at(slot);
    if (state.reserved !== undefined) {
      throw new RangeError(`Cannot reserve slot ${slot}: it is in use`);
    }
    if (state.touched > tokens) {
      throw new RangeError(
        `Cannot reserve slot ${slot}: it holds ${state.touched} tokens; trim it first`,
      );
    }
    const held = this.tokensHeld - state.touched + tokens;
    if (held > this.tokens) {
      throw new RangeError(
        `Cannot reserve slot ${slot}: it would raise the reserved tokens to ${held} of ${this.tokens}`,
      );
    }
    state.reserved = tokens;
  }

  /**
   * Records that a row has ended.
   *
   * @param written Number of tokens that it wrote, at most those it reserved.
   */
  release(slot: number, written: number): void {
    const state = this.#at(slot);
    if (state.reserved === undefined || written > state.reserved) {
      throw new RangeError(
        `Cannot release slot ${slot}: ${written} tokens written, ${
          state.reserved ?? "none"
        } reserved`,
      );
    }
    state.reserved = undefined;
    state.touched = Math.max(state.touched, written);
  }

  /** Records that an idle slot has released its memory. */
  trim(slot: number): void {
    const state = this.#at(slot);
    if (state.reserved !== undefined) {
      throw new RangeError(`Cannot trim slot ${slot}: it is in use`);
    }
    state.touched = 0;
  }

  #reclaim(more: number, spared: ReadonlySet<number>): Reclaim | undefined {
    let missing = this.tokensHeld + more - this.tokens;
    const trim: number[] = [];
    // The highest first, because the lowest is reused next.
    for (const slot of this.idle.reverse()) {
      const { touched } = this.#at(slot);
      if (missing <= 0) break;
      if (touched === 0 || spared.has(slot)) continue;
      trim.push(slot);
      missing -= touched;
    }
    const evict = Math.max(0, missing);
    return evict <= this.#snapshots.tokensHeld ? { trim, evict } : undefined;
  }

  #at(slot: number): Slot {
    const state = this.#slots[slot];
    if (state === undefined) {
      throw new RangeError(
        `Cannot use slot ${slot}: the cache has ${this.slots} slots`,
      );
    }
    return state;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
