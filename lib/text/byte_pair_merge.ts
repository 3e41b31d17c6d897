/**
 * The merges of byte-pair encoding (BPE): pieces of text to tokens.
 *
 * ```text
 * l o w e r  ─▶  lo w e r  ─▶  lo w er  ─▶  low er        lowest rank first, then leftmost
 * ```
 *
 * A heap returns the pair of the lowest rank, so a piece of n characters takes
 * O(n log n) lookups, even for untrusted text that is one long piece. Own code,
 * because `@huggingface/tokenizers` creates an object for every character and a
 * JSON text for every lookup, and takes ten times as long.
 *
 * @module
 */

/** The tokens of a vocabulary and their merges. */
export interface MergeTable {
  /** Ids of tokens by their spelling. */
  readonly ids: ReadonlyMap<string, number>;
  /**
   * Ranks of merges by left and right token with a space between; undefined if
   * any two neighbors that spell a token merge, in the order of the tokens'
   * ids.
   */
  readonly ranks: ReadonlyMap<string, number> | undefined;
  /**
   * True if a piece that is a token is not split, independent of its merges.
   */
  readonly ignoreMerges: boolean;
}

/** Merges the characters of pieces of text into tokens. */
export class PairMerger {
  readonly #table: MergeTable;
  readonly #longest: number;
  #buffers = createBuffers(LONG_PIECE);

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

  #merge(piece: string): Buffers {
    const { length } = piece;
    const buffers = length > LONG_PIECE ? createBuffers(length) : this.#buffers;
    const { previous, next, ranks, heap } = buffers;
    heap.clear();
    for (let at = 0; at < length; at++) {
      previous[at] = at - 1;
      next[at] = at + 1;
    }
    /** Records the rank of the token at `at` with the next one. */
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
      // A pair of which a token was merged meanwhile has another rank.
      if (ranks[at] !== (key - at) / length) continue;
      const right = next[at]!;
      const end = next[right]!;
      ranks[right] = NO_RANK;
      next[at] = end;
      if (end < length) previous[end] = at;
      note(at);
      if (at > 0) note(previous[at]!);
    }
    return buffers;
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

/** The length from which a piece uses temporary arrays. */
const LONG_PIECE = 4096;

/** The rank of two neighbors that do not merge. */
const NO_RANK = -1;

/**
 * The buffers of a merge. A token is identified by the index of its first
 * character.
 */
interface Buffers {
  /** Start of the previous token. */
  readonly previous: Int32Array;
  /** Start of the next token. */
  readonly next: Int32Array;
  /** Rank of a token with the next one. */
  readonly ranks: Int32Array;
  /** Ranks and starts of pairs, as `rank * length + start`. */
  readonly heap: MinHeap;
}

function createBuffers(length: number): Buffers {
  return {
    previous: new Int32Array(length),
    next: new Int32Array(length),
    ranks: new Int32Array(length),
    // Every character is pushed once, and every merge pushes two entries and
    // pops one.
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
