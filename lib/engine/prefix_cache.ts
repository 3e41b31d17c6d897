/**
 * The prefix cache: snapshots of computed prefixes of prompts.
 *
 * ```text
 * prompt      BOS system │ picture │ question, answer │ question
 * boundaries             ┴         ┴                  ┴
 * snapshot    ───────────┴─────────┴──────────────────┘  usable up to any boundary
 * ```
 *
 * A prompt is shared at its prefix boundaries only: after the system prompt,
 * after each picture, at its end. A snapshot of a long prefix serves the
 * shorter ones within it and replaces them; two that differ after a common
 * prefix store it twice, and count it twice. Lookups compare tokens and
 * adapter, not only hashes: a hash collision never exposes another prompt, and
 * keys and values of different adapters never mix.
 *
 * The cache does not access keys and values. Snapshots belong to its owner,
 * which frees the ones that the cache returns as evicted.
 *
 * @module
 */

/** A computed prefix of a prompt. */
export interface Prefix<Snapshot> {
  /** Length of the prefix, in tokens. */
  readonly length: number;
  /**
   * A snapshot of at least this length, possibly of another prompt with the
   * same prefix.
   */
  readonly snapshot: Snapshot;
}

/** The cumulative counts of a cache. */
export interface PrefixCounts {
  /** Number of prompts with a cached prefix. */
  readonly hits: number;
  /** Number of prompts without a cached prefix. */
  readonly misses: number;
  /** Number of prompt tokens that were not computed again. */
  readonly tokensSaved: number;
  /** Number of evicted snapshots. */
  readonly evictions: number;
}

interface Entry<Snapshot> {
  readonly tokens: Int32Array;
  readonly snapshot: Snapshot;
  /** Keys of the entry's prefix boundaries. */
  readonly keys: readonly string[];
}

/**
 * Holds snapshots of prefixes; the least recently used one is evicted first.
 */
export class PrefixCache<Snapshot> {
  /** Entries, least recently used first. */
  readonly #entries = new Set<Entry<Snapshot>>();
  /** Entries by length and hash of each boundary, least recently used first. */
  readonly #byBoundary = new Map<string, Set<Entry<Snapshot>>>();
  readonly #counts = { hits: 0, misses: 0, tokensSaved: 0, evictions: 0 };
  #tokensHeld = 0;
  /** Number of tokens that all snapshots may hold together. */
  readonly capacity: number;

  /** Creates an empty cache; with a `capacity` of 0 it stays empty. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Number of tokens that all snapshots hold. */
  get tokensHeld(): number {
    return this.#tokensHeld;
  }

  /** Number of snapshots. */
  get size(): number {
    return this.#entries.size;
  }

  /** Counts so far. */
  get counts(): PrefixCounts {
    return { ...this.#counts };
  }

  /**
   * Returns the longest cached prefix of `tokens`, marks it as used, and counts
   * a hit or a miss.
   *
   * @param boundaries Lengths at which the prompt may be shared, ascending.
   * @param adapter Name of the adapter that computes it; none by default.
   */
  longest(
    tokens: Int32Array,
    boundaries: readonly number[],
    adapter?: string,
  ): Prefix<Snapshot> | undefined {
    const found = this.renew(tokens, boundaries, adapter);
    this.#counts[found === undefined ? "misses" : "hits"]++;
    this.#counts.tokensSaved += found?.length ?? 0;
    return found;
  }

  /**
   * Marks the prefix that {@linkcode longest} would return as used, without
   * counting it: so that making room for a prompt does not evict the prompt's
   * own prefix.
   */
  renew(
    tokens: Int32Array,
    boundaries: readonly number[],
    adapter?: string,
  ): Prefix<Snapshot> | undefined {
    const keys = boundaryKeys(tokens, boundaries, adapter);
    for (const [i, length] of [...boundaries.entries()].reverse()) {
      const entry = this.#find(keys[i]!, tokens.subarray(0, length));
      if (entry === undefined) continue;
      this.#unlink(entry);
      this.#link(entry);
      return { length, snapshot: entry.snapshot };
    }
    return undefined;
  }

  /** Returns true if a cached snapshot covers `tokens`. */
  has(tokens: Int32Array, adapter?: string): boolean {
    const [key] = boundaryKeys(tokens, [tokens.length], adapter);
    return this.#find(key!, tokens) !== undefined;
  }

  /**
   * Inserts a snapshot of `tokens`, which are copied.
   *
   * @param boundaries Lengths at which it may be shared, ascending; its whole
   * length is always one.
   * @param adapter Name of the adapter that computed it; none by default.
   * @returns Snapshots that the cache no longer holds, including the given one
   * if it is too long.
   */
  insert(
    tokens: Int32Array,
    boundaries: readonly number[],
    snapshot: Snapshot,
    adapter?: string,
  ): Snapshot[] {
    if (tokens.length > this.capacity || this.has(tokens, adapter)) {
      return [snapshot];
    }
    const within = boundaries.filter((boundary) => boundary < tokens.length);
    const keys = boundaryKeys(tokens, [...within, tokens.length], adapter);
    const replaced = within.flatMap((boundary, i) =>
      [...this.#byBoundary.get(keys[i]!) ?? []].filter((entry) =>
        entry.tokens.length === boundary && isPrefix(entry.tokens, tokens)
      )
    );
    for (const entry of replaced) this.#unlink(entry);
    const evicted = this.evict(
      this.#tokensHeld + tokens.length - this.capacity,
    );
    this.#link({ tokens: tokens.slice(), snapshot, keys });
    return [...replaced.map(({ snapshot }) => snapshot), ...evicted];
  }

  /**
   * Evicts the least recently used snapshots.
   *
   * @param tokens The minimum number of tokens to evict; all if there are
   * fewer.
   * @returns The evicted snapshots.
   */
  evict(tokens: number): Snapshot[] {
    const target = this.#tokensHeld - tokens;
    const freed: Snapshot[] = [];
    for (const entry of this.#entries) {
      if (this.#tokensHeld <= target) break;
      this.#unlink(entry);
      this.#counts.evictions++;
      freed.push(entry.snapshot);
    }
    return freed;
  }

  /** Returns the most recently used entry that begins with `prefix`. */
  #find(key: string, prefix: Int32Array): Entry<Snapshot> | undefined {
    return [...this.#byBoundary.get(key) ?? []]
      .findLast(({ tokens }) => isPrefix(prefix, tokens));
  }

  #link(entry: Entry<Snapshot>): void {
    this.#entries.add(entry);
    this.#tokensHeld += entry.tokens.length;
    for (const key of entry.keys) {
      const sharing = this.#byBoundary.get(key) ?? new Set();
      this.#byBoundary.set(key, sharing.add(entry));
    }
  }

  #unlink(entry: Entry<Snapshot>): void {
    this.#entries.delete(entry);
    this.#tokensHeld -= entry.tokens.length;
    for (const key of entry.keys) {
      const sharing = this.#byBoundary.get(key);
      sharing?.delete(entry);
      if (sharing?.size === 0) this.#byBoundary.delete(key);
    }
  }
}

function isPrefix(prefix: Int32Array, tokens: Int32Array): boolean {
  if (prefix.length > tokens.length) return false;
  for (let i = 0; i < prefix.length; i++) {
    if (prefix[i] !== tokens[i]) return false;
  }
  return true;
}

/**
 * Returns keys of the boundaries: length, FNV-1a hash of the tokens before
 * each, and adapter.
 */
function boundaryKeys(
  tokens: Int32Array,
  boundaries: readonly number[],
  adapter = "",
): string[] {
  let hash = 0x811c_9dc5;
  let start = 0;
  return boundaries.map((boundary) => {
    if (boundary <= start || boundary > tokens.length) {
      throw new RangeError(
        `Cannot share ${boundary} of ${tokens.length} tokens: prefix boundaries must ascend from 1 to the number of tokens`,
      );
    }
    for (let i = start; i < boundary; i++) {
      hash = Math.imul(hash ^ tokens[i]!, 0x0100_0193);
    }
    start = boundary;
    return `${boundary}:${hash}:${adapter}`;
  });
}
