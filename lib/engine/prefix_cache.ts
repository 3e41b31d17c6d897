/**
 * Which beginnings of prompts are computed already.
 *
 * ```text
 * prompt    BOS system │ picture │ question, answer │ question
 * cuts                 ┴         ┴                  ┴
 * snapshot  ───────────┴─────────┴──────────────────┘  found at any of its cuts
 * ```
 *
 * A prompt is shared at its cuts only: after the system's words, after each
 * picture, at its end. A snapshot of a long prefix serves the shorter ones
 * within it, so that it takes their place; two that part ways after a common
 * beginning hold it twice, and count it twice. Tokens decide, never a hash
 * alone: whoever finds a hash in common does not read another's prompt.
 *
 * Knows nothing of keys and values. A snapshot is the owner's: what the cache
 * lets go of is returned, to be freed.
 *
 * @module
 */

/** A beginning of a prompt that is computed already. */
export interface Prefix<Snapshot> {
  /** How much of the prompt, in tokens. */
  readonly length: number;
  /** Holds at least this much, and maybe what followed in another prompt. */
  readonly snapshot: Snapshot;
}

/** What a cache has done so far. Tokens are those of prompts. */
export interface PrefixCounts {
  /** Prompts of which something was found. */
  readonly hits: number;
  /** Prompts of which nothing was found. */
  readonly misses: number;
  /** Tokens found, which need not be computed. */
  readonly tokensSaved: number;
  /** Snapshots that made room for others. */
  readonly evictions: number;
}

interface Entry<Snapshot> {
  readonly tokens: Int32Array;
  readonly snapshot: Snapshot;
  /** Keys of its cuts. */
  readonly keys: readonly string[];
}

/** Snapshots of prefixes; the least recently used one goes first. */
export class PrefixCache<Snapshot> {
  /** Least recently used first. */
  readonly #entries = new Set<Entry<Snapshot>>();
  /** By length and hash of each cut, least recently used first. */
  readonly #byCut = new Map<string, Set<Entry<Snapshot>>>();
  readonly #counts = { hits: 0, misses: 0, tokensSaved: 0, evictions: 0 };
  #tokensHeld = 0;
  /** Tokens that all snapshots may hold together. */
  readonly capacity: number;

  /** Starts with nothing; a `capacity` of 0 keeps it so. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Tokens that all snapshots hold. */
  get tokensHeld(): number {
    return this.#tokensHeld;
  }

  /** Snapshots held. */
  get size(): number {
    return this.#entries.size;
  }

  /** What it has done so far. */
  get counts(): PrefixCounts {
    return { ...this.#counts };
  }

  /**
   * The longest beginning of `tokens` that is computed already, which is noted
   * as used and counted.
   *
   * @param cuts Lengths at which the prompt may be shared, ascending.
   */
  longest(
    tokens: Int32Array,
    cuts: readonly number[],
  ): Prefix<Snapshot> | undefined {
    const found = this.renew(tokens, cuts);
    this.#counts[found === undefined ? "misses" : "hits"]++;
    this.#counts.tokensSaved += found?.length ?? 0;
    return found;
  }

  /**
   * As {@linkcode longest}, but uncounted: keeps what a prompt is about to use
   * from being evicted first when room is made for that very prompt.
   */
  renew(
    tokens: Int32Array,
    cuts: readonly number[],
  ): Prefix<Snapshot> | undefined {
    const keys = cutKeys(tokens, cuts);
    for (const [i, length] of [...cuts.entries()].reverse()) {
      const entry = this.#find(keys[i]!, tokens.subarray(0, length));
      if (entry === undefined) continue;
      this.#unlink(entry);
      this.#link(entry);
      return { length, snapshot: entry.snapshot };
    }
    return undefined;
  }

  /** Whether a snapshot of `tokens` would add nothing. */
  has(tokens: Int32Array): boolean {
    const [key] = cutKeys(tokens, [tokens.length]);
    return this.#find(key!, tokens) !== undefined;
  }

  /**
   * Keeps a snapshot of `tokens`, which are copied.
   *
   * @param cuts Lengths at which it may be shared, ascending; its own is one
   * whether named or not.
   * @returns What is not held any more, or, if it is too long, not at all.
   */
  insert(
    tokens: Int32Array,
    cuts: readonly number[],
    snapshot: Snapshot,
  ): Snapshot[] {
    if (tokens.length > this.capacity || this.has(tokens)) return [snapshot];
    const within = cuts.filter((cut) => cut < tokens.length);
    const keys = cutKeys(tokens, [...within, tokens.length]);
    const replaced = within.flatMap((cut, i) =>
      [...this.#byCut.get(keys[i]!) ?? []].filter((entry) =>
        entry.tokens.length === cut && isPrefix(entry.tokens, tokens)
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
   * Lets go of the least recently used snapshots.
   *
   * @param tokens How many must go, at least; all if there are fewer.
   * @returns What is not held any more.
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

  /** The entry used last that begins with `prefix`, whose key is given. */
  #find(key: string, prefix: Int32Array): Entry<Snapshot> | undefined {
    return [...this.#byCut.get(key) ?? []]
      .findLast(({ tokens }) => isPrefix(prefix, tokens));
  }

  #link(entry: Entry<Snapshot>): void {
    this.#entries.add(entry);
    this.#tokensHeld += entry.tokens.length;
    for (const key of entry.keys) {
      const sharing = this.#byCut.get(key) ?? new Set();
      this.#byCut.set(key, sharing.add(entry));
    }
  }

  #unlink(entry: Entry<Snapshot>): void {
    this.#entries.delete(entry);
    this.#tokensHeld -= entry.tokens.length;
    for (const key of entry.keys) {
      const sharing = this.#byCut.get(key);
      sharing?.delete(entry);
      if (sharing?.size === 0) this.#byCut.delete(key);
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

/** Names each cut by its length and an FNV-1a hash of the tokens before it. */
function cutKeys(tokens: Int32Array, cuts: readonly number[]): string[] {
  let hash = 0x811c_9dc5;
  let start = 0;
  return cuts.map((cut) => {
    if (cut <= start || cut > tokens.length) {
      throw new RangeError(
        `Cannot cut ${tokens.length} tokens at ${cut}: cuts ascend from 1 to their number`,
      );
    }
    for (let i = start; i < cut; i++) {
      hash = Math.imul(hash ^ tokens[i]!, 0x0100_0193);
    }
    start = cut;
    return `${cut}:${hash}`;
  });
}
