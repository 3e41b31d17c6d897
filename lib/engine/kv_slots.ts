/**
 * The slots of the KV cache: executes the decisions of admission, budget and
 * prefix cache on the decoder.
 *
 * @module
 */

import {
  type Fairness,
  nextStart,
  type Reservation,
  type Waiting,
} from "./admission.ts";
import { CacheBudget } from "./cache_budget.ts";
import type { Decoder, Snapshot } from "../decoder/decoder.ts";
import { PrefixCache, type PrefixCounts } from "./prefix_cache.ts";
import type { EngineRequest, HiddenState, Row, Sequence } from "./sequence.ts";

/** A stored prefix of a prompt. */
interface KeptPrefix<Kept> {
  readonly snapshot: Kept;
  /** Hidden states at the prefix boundaries, up to its length. */
  readonly boundaryStates: ReadonlyMap<number, HiddenState>;
}

/** The state of a KV cache. */
export interface CacheState {
  /** Number of tokens that fit. */
  readonly tokens: number;
  /** Number of tokens that slots and kept prefixes hold. */
  readonly tokensHeld: number;
  /** Counts of the prefix cache. */
  readonly prefixes: PrefixCounts;
}

/**
 * The minimum length of a stored prefix, in tokens: a copy costs about as much
 * as computing a token.
 */
export const SHORTEST_PREFIX = 2;

/** Manages the slots of a decoder. */
export class KvSlots<Kept extends Snapshot> {
  readonly #decoder: Decoder<Kept>;
  readonly #prefixes: PrefixCache<KeptPrefix<Kept>>;
  readonly #fairness: Fairness;
  /** The division of the memory among slots and prefixes. */
  readonly budget: CacheBudget;

  /**
   * Creates the slots, all free.
   *
   * @param tokens Number of tokens that slots and kept prefixes may hold
   * together.
   */
  constructor(decoder: Decoder<Kept>, tokens: number, fairness: Fairness) {
    this.#decoder = decoder;
    this.#fairness = fairness;
    // At most half, so that prefixes do not evict each other while running
    // slots hold the rest.
    this.#prefixes = new PrefixCache(Math.floor(tokens / 2));
    this.budget = new CacheBudget(tokens, decoder.slots, this.#prefixes);
  }

  /** The state of the cache. */
  get state(): CacheState {
    const { tokens, tokensHeld } = this.budget;
    return { tokens, tokensHeld, prefixes: this.#prefixes.counts };
  }

  /**
   * Reserves slots for the next request that may start.
   *
   * @param request Returns the waiting request at an index; its prefixes are
   * not evicted.
   * @returns The request, those it passed, and its slots; undefined if all
   * wait.
   */
  start(
    waiting: readonly Waiting[],
    running: readonly Reservation[],
    request: (index: number) => Pick<EngineRequest, "prompts" | "adapter">,
  ): { index: number; passed: readonly number[]; slots: number[] } | undefined {
    const load = { waiting, running, budget: this.budget };
    const start = nextStart(load, this.#fairness);
    if (start === undefined) return undefined;
    const { index, passed, slots, trim, evict } = start;
    const { prompts, adapter } = request(index);
    for (const { tokens, prefixBoundaries } of prompts) {
      this.#prefixes.renew(tokens, prefixBoundaries, adapter);
    }
    this.#reclaim(trim, evict);
    const { rows } = waiting[index]!;
    for (const [i, slot] of slots.entries()) {
      this.budget.reserve(slot, rows[i]!);
    }
    return { index, passed, slots: [...slots] };
  }

  /** Fills a row with the stored prefix of its prompt. */
  async restore(sequence: Sequence, row: Row): Promise<void> {
    const { prompt: { tokens, prefixBoundaries }, adapter } = row;
    const found = this.#prefixes.longest(tokens, prefixBoundaries, adapter);
    if (found === undefined) return;
    const { length, snapshot: { snapshot, boundaryStates } } = found;
    await this.#decoder.restore(row.slot, snapshot, length);
    sequence.acceptPrefix(row, length, boundaryStates);
  }

  /**
   * Stores a row's prompt, which has just run, for requests that begin with it.
   */
  async keep({ slot, prompt, adapter, boundaryStates }: Row): Promise<void> {
    const { tokens, prefixBoundaries } = prompt;
    if (tokens.length < SHORTEST_PREFIX) return;
    if (this.#prefixes.has(tokens, adapter)) return;
    if (tokens.length > this.#prefixes.capacity) return;
    const reclaim = this.budget.reclaimForSnapshot(tokens.length);
    if (reclaim === undefined) return;
    this.#reclaim(reclaim.trim, reclaim.evict);
    const snapshot = await this.#decoder.save(slot, tokens.length);
    const evicted = this.#prefixes.insert(tokens, prefixBoundaries, {
      snapshot,
      boundaryStates: new Map(boundaryStates),
    }, adapter);
    this.#discard(evicted);
  }

  /** Releases a row. */
  release({ slot, written }: Row): void {
    this.#decoder.release(slot);
    this.budget.release(slot, written);
  }

  /**
   * Moves the highest of `rows` down while there are free slots below it: a
   * step runs all rows up to the highest.
   *
   * @param reserved Returns the number of tokens reserved for a row.
   */
  async compact(
    rows: readonly Row[],
    reserved: (row: Row) => number,
  ): Promise<void> {
    for (;;) {
      const [lowest] = this.budget.idle;
      const highest = rows.reduce<Row | undefined>(
        (a, b) => a === undefined || b.slot > a.slot ? b : a,
        undefined,
      );
      if (highest === undefined || lowest === undefined) return;
      if (lowest > highest.slot) return;
      const from = highest.slot;
      this.#trim(lowest);
      await this.#decoder.move(from, lowest, highest.length);
      this.budget.release(from, highest.written);
      this.#trim(from);
      this.budget.reserve(lowest, reserved(highest));
      highest.slot = lowest;
    }
  }

  #reclaim(trim: readonly number[], evict: number): void {
    for (const slot of trim) this.#trim(slot);
    if (evict > 0) this.#discard(this.#prefixes.evict(evict));
  }

  #discard(prefixes: readonly KeptPrefix<Kept>[]): void {
    for (const { snapshot } of prefixes) this.#decoder.discard(snapshot);
  }

  #trim(slot: number): void {
    this.#decoder.trim(slot);
    this.budget.trim(slot);
  }
}
