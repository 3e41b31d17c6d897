/**
 * The merges of byte-pair encoding (BPE): pieces of text to tokens.
 *
 * ```text
 * l o w e r  ─▶  lo w e r  ─▶  lo w er  ─▶  low er        lowest rank first, then leftmost
 * ```
 *
 * The pair of the lowest rank comes from a heap, so a piece of n characters
 * takes n log n lookups: untrusted text may be one piece without a boundary.
 * The merges of `@huggingface/tokenizers` create an object for every character
 * and a JSON text for every lookup, which takes ten times as long.
 *
 * @module
 */

/** The tokens of a vocabulary, and which of them merge. */
export interface MergeTable {
  /** Ids of tokens by their spelling. */
  readonly ids: ReadonlyMap<string, number>;
  /**
   * Ranks of merges by left and right token with a space between; undefined if
   * any two neighbors merge that spell a token together, in the order of their
   * ids.
   */
  readonly ranks: ReadonlyMap<string, number> | undefined;
  /** True if a piece that is a token stays whole, whatever its merges are. */
  readonly ignoreMerges: boolean;
}

/** Merges the characters of pieces of text into tokens. */
export class PairMerger {
  readonly #table: MergeTable;
  readonly #longest: number;
  #room = roomFor(LONG_PIECE);

  /** Creates a merger for the tokens of `table`. */
  constructor(table: MergeTable) {
    this.#table = table;
    let longest = 0;
    for (const token of table.ids.keys()) {
      longest = Math.max(longest, token.length);
    }
    this.#longest = longest;
  }

  /**
   * Appends the tokens of a piece. Characters without a token are omitted.
   *
   * @param tokens List that tokens are appended to.
   */
  encode(piece: string, tokens: number[]): void {
    const { ids, ignoreMerges } = this.#table;
    if (ignoreMerges || piece.length === 1) {
      const whole = ids.get(piece);
      if (whole !== undefined) {
        tokens.push(whole);
        return;
      }
    }
    const { next } = this.#merge(piece);
    for (let at = 0; at < piece.length; at = next[at]!) {
      const token = ids.get(piece.slice(at, next[at]));
      if (token !== undefined) tokens.push(token);
    }
  }

  #merge(piece: string): Room {
    const { length } = piece;
    const room = length > LONG_PIECE ? roomFor(length) : this.#room;
    const { previous, next, ranks, heap } = room;
    heap.clear();
    for (let at = 0; at < length; at++) {
      previous[at] = at - 1;
      next[at] = at + 1;
    }
    /** Records the rank of the token at `at` with the one after it. */
    const note = (at: number) => {
      const middle = next[at]!;
      const rank = middle < length
        ? this.#rank(piece, at, middle, next[middle]!)
        : undefined;
      ranks[at] = rank ?? NO_RANK;
      if (rank !== undefined) heap.push(rank * length + at);
    };
    for (let at = 0; at < length; at++) note(at);
    for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
      const at = key % length;
      // A pair that another merge has broken up has another rank by now.
      if (ranks[at] !== (key - at) / length) continue;
      const right = next[at]!;
      const end = next[right]!;
      ranks[right] = NO_RANK;
      next[at] = end;
      if (end < length) previous[end] = at;
      note(at);
      if (at > 0) note(previous[at]!);
    }
    return room;
  }

  #rank(
    piece: string,
    start: number,
    middle: number,
    end: number,
  ): number | undefined {
    if (end - start > this.#longest) return undefined;
    const { ids, ranks } = this.#table;
    return ranks === undefined
      ? ids.get(piece.slice(start, end))
      : ranks.get(`${piece.slice(start, middle)} ${piece.slice(middle, end)}`);
  }
}

/** The length from which pieces get arrays of their own, which are not kept. */
const LONG_PIECE = 4096;

/** The rank of two neighbors that do not merge. */
const NO_RANK = -1;

/**
 * The scratch memory of a merge. A token is identified by its first character.
 */
interface Room {
  /** Beginning of the token before. */
  readonly previous: Int32Array;
  /** Beginning of the token after. */
  readonly next: Int32Array;
  /** The rank of a token with the one after it. */
  readonly ranks: Int32Array;
  /** Ranks and places of pairs, as `rank * length + place`. */
  readonly heap: MinHeap;
}

function roomFor(length: number): Room {
  return {
    previous: new Int32Array(length),
    next: new Int32Array(length),
    ranks: new Int32Array(length),
    // Every character is pushed once, and every merge pushes two for one
    // popped.
    heap: new MinHeap(2 * length),
  };
}

/** A binary heap of numbers, the lowest first. */
class MinHeap {
  readonly #keys: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
  }

  clear(): void {
    this.#size = 0;
  }

  push(key: number): void {
    const keys = this.#keys;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number | undefined {
    if (this.#size === 0) return undefined;
    const keys = this.#keys;
    const lowest = keys[0]!;
    const size = --this.#size;
    const key = keys[size]!;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[at] = keys[child]!;
      at = child;
    }
    keys[at] = key;
    return lowest;
  }
}
