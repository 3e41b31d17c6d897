/**
 * Who holds how much of the memory for keys and values, in tokens.
 *
 * ```text
 * budget ┌ running slots   what their rows may need, reserved at the start
 *        ├ idle slots      what was once written there, until it is trimmed
 *        ├ snapshots       of prefixes, until they are evicted
 *        └ free
 * ```
 *
 * What runs is never taken from; what idles is given back when somebody needs
 * it. The pages of a slot come from the system as they are first written and
 * stay, which is why an empty slot may be an expensive one.
 *
 * Knows neither bytes nor tensors: whoever has those trims and evicts as told.
 *
 * @module
 */

/** Snapshots that may be evicted: a `PrefixCache`, as far as it matters here. */
export interface Evictable {
  /** Tokens that all of them hold. */
  readonly tokensHeld: number;
}

/** What is to be given back so that something fits. */
export interface Reclaim {
  /** Idle slots to trim. */
  readonly trim: readonly number[];
  /** Tokens of snapshots to evict, at least; 0 for none. */
  readonly evict: number;
}

interface Slot {
  /** While somebody runs here. */
  reserved: number | undefined;
  /** Since the last trim. */
  touched: number;
}

/** Shares a number of tokens among slots and snapshots. */
export class CacheBudget {
  readonly #slots: readonly Slot[];
  readonly #snapshots: Evictable;
  /** Tokens that all may hold together. */
  readonly tokens: number;

  /** Starts with nothing reserved and nothing touched. */
  constructor(tokens: number, slots: number, snapshots: Evictable) {
    this.tokens = tokens;
    this.#snapshots = snapshots;
    this.#slots = Array.from(
      { length: slots },
      () => ({ reserved: undefined, touched: 0 }),
    );
  }

  /** A copy to think ahead with; the snapshots are the same. */
  copy(): CacheBudget {
    const copy = new CacheBudget(this.tokens, this.slots, this.#snapshots);
    copy.#slots.forEach((slot, i) => Object.assign(slot, this.#slots[i]));
    return copy;
  }

  /** Slots in all. */
  get slots(): number {
    return this.#slots.length;
  }

  /** Slots that nobody runs in, lowest first. */
  get idle(): number[] {
    return [...this.#slots.keys()]
      .filter((slot) => this.#at(slot).reserved === undefined);
  }

  /** The highest slot that somebody runs in; -1 when nobody runs. */
  get highestInUse(): number {
    return this.#slots.findLastIndex(({ reserved }) => reserved !== undefined);
  }

  /** Tokens that slots and snapshots hold. */
  get tokensHeld(): number {
    const slots = this.#slots
      .map(({ reserved, touched }) => reserved ?? touched);
    return sum(slots) + this.#snapshots.tokensHeld;
  }

  /** Whether rows of so many tokens fit when nothing else runs. */
  fitsAlone(rows: readonly number[]): boolean {
    return rows.length <= this.slots && sum(rows) <= this.tokens;
  }

  /**
   * What to give back before rows of so many tokens start.
   *
   * @param slots Idle ones, one a row.
   * @returns undefined when the running slots leave too little.
   */
  roomForRows(
    rows: readonly number[],
    slots: readonly number[],
  ): Reclaim | undefined {
    // Trimmed even if there is room: otherwise a short answer would hold the
    // memory of the picture before it for as long as it runs.
    const longer = slots.filter((slot, i) => this.#at(slot).touched > rows[i]!);
    const touched = sum(slots.map((slot) => this.#at(slot).touched));
    const spared = new Set(slots);
    const room = this.#reclaim(sum(rows) - touched, spared);
    return room && { ...room, trim: [...longer, ...room.trim] };
  }

  /** What to give back before a snapshot of so many tokens is taken. */
  roomForSnapshot(tokens: number): Reclaim | undefined {
    return this.#reclaim(tokens, new Set());
  }

  /**
   * Notes that a row starts.
   *
   * @param tokens That it may need in all.
   */
  reserve(slot: number, tokens: number): void {
    const state = this.#at(slot);
    if (state.reserved !== undefined) {
      throw new RangeError(`Cannot reserve slot ${slot}: it is in use`);
    }
    if (state.touched > tokens) {
      throw new RangeError(
        `Cannot reserve slot ${slot}: it touches ${state.touched} tokens, trim it first`,
      );
    }
    const held = this.tokensHeld - state.touched + tokens;
    if (held > this.tokens) {
      throw new RangeError(
        `Cannot reserve slot ${slot}: ${held} tokens would be held of ${this.tokens}`,
      );
    }
    state.reserved = tokens;
  }

  /**
   * Notes that a row has ended.
   *
   * @param written Tokens that it wrote, at most those it reserved.
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

  /** Notes that an idle slot has given back its memory. */
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
    // The highest first: the lowest is used again next.
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
    if (state === undefined) throw new RangeError(`Cannot find slot ${slot}`);
    return state;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
