/**
 * The fake decoder: its logits are a fixed function of a slot's tokens.
 *
 * It is strict: a token at the wrong position, in a slot that was not started,
 * or beyond the context is an error.
 *
 * @module
 */

import type {
  Decoder,
  Feed,
  MultiTokenRow,
  Snapshot,
} from "../../lib/decoder/decoder.ts";
import type { Head } from "../../lib/engine/policy.ts";

/** The options of a fake decoder. */
export interface FakeDecoderOptions {
  readonly slots: number;
  readonly contextLength: number;
  readonly chunkLength?: number;
  /** Tokens per pass whose logits are computed. */
  readonly width?: number;
  /** Awaited before each run, to delay it or to fail. */
  readonly beforeRun?: () => Promise<void> | void;
}

/** A token in a slot. */
interface LazyResource {
  readonly token: number;
  readonly place: number;
}

/** The tokens of a slot. */
export interface FakeSnapshot extends Snapshot {
  readonly held: readonly LazyResource[];
}

/** A decoder that computes logits from token ids alone. */
export class FakeDecoder implements Decoder<FakeSnapshot> {
  readonly slots: number;
  readonly contextLength: number;
  readonly chunkLength: number;
  readonly #width: number;
  readonly #beforeRun: () => Promise<void> | void;
  readonly #held: LazyResource[][];
  /** Feeds of each step so far. */
  readonly steps: Feed[][] = [];
  /** Rows of each multi-token step so far. */
  readonly wides: MultiTokenRow[][] = [];
  /** Trims, moves and restored prefixes so far, by slot. */
  readonly trims: number[] = [];
  readonly moves: { from: number; to: number }[] = [];
  /** Snapshots that were discarded so far. */
  readonly discards: FakeSnapshot[] = [];
  readonly restores: { slot: number; tokens: number }[] = [];
  /** Slots, starts and lengths of the prefills so far. */
  readonly prefills: { slot: number; start: number; length: number }[] = [];

  constructor(options: FakeDecoderOptions) {
    this.slots = options.slots;
    this.contextLength = options.contextLength;
    this.chunkLength = options.chunkLength ?? 4;
    this.#width = options.width ?? 16;
    this.#beforeRun = options.beforeRun ?? (() => {});
    this.#held = Array.from({ length: options.slots }, () => []);
  }

  async prefill(
    slot: number,
    tokens: Int32Array,
    start: number,
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>> {
    await this.#beforeRun();
    signal?.throwIfAborted();
    this.prefills.push({ slot, start, length: tokens.length });
    const states = [...tokens].map((token, i) =>
      this.#append(slot, token, start + i)
    );
    return Float32Array.from(states);
  }

  async step(feeds: readonly Feed[]): Promise<Float32Array<ArrayBuffer>[]> {
    await this.#beforeRun();
    this.steps.push([...feeds]);
    return feeds.map(({ slot, tokens, position }) => {
      const states = tokens.map((token, i) =>
        this.#append(slot, token, position + i)
      );
      return Float32Array.of(states.at(-1)!);
    });
  }

  async multiTokenStep(
    rows: readonly MultiTokenRow[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    await this.#beforeRun();
    signal?.throwIfAborted();
    this.wides.push([...rows]);
    return rows.map(({ slot, tokens, position, positionIds }) => {
      const states = tokens.map((token, i) =>
        this.#append(slot, token, position + i, positionIds?.[position + i])
      );
      return Float32Array.from(states);
    });
  }

  save(slot: number, tokens: number): Promise<FakeSnapshot> {
    const held = this.#held[slot]!.slice(0, tokens);
    if (held.length < tokens) throw new Error(`slot ${slot} holds less`);
    return Promise.resolve({ tokens, held });
  }

  discard(snapshot: FakeSnapshot): void {
    this.discards.push(snapshot);
  }

  restore(slot: number, snapshot: FakeSnapshot, tokens: number): Promise<void> {
    if (this.#held[slot]!.length > 0) throw new Error(`slot ${slot} is in use`);
    this.restores.push({ slot, tokens });
    this.#held[slot]!.push(...snapshot.held.slice(0, tokens));
    return Promise.resolve();
  }

  move(from: number, to: number, tokens: number): Promise<void> {
    if (this.#held[to]!.length > 0) throw new Error(`slot ${to} is in use`);
    this.moves.push({ from, to });
    this.#held[to]!.push(...this.#held[from]!.slice(0, tokens));
    this.#held[from]!.length = 0;
    return Promise.resolve();
  }

  release(slot: number): void {
    this.#held[slot]!.length = 0;
  }

  trim(slot: number): void {
    if (this.#held[slot]!.length > 0) throw new Error(`slot ${slot} is in use`);
    this.trims.push(slot);
  }

  logits(
    _head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    return Promise.resolve(
      hidden.map(([state]) => fakeLogits(state!, this.#width)),
    );
  }

  /** Count of slots that hold tokens. */
  get slotsInUse(): number {
    return this.#held.filter(({ length }) => length > 0).length;
  }

  #append(slot: number, token: number, position: number, place = position) {
    const held = this.#held[slot]!;
    // The slot may hold more tokens than its sequence keeps.
    held.splice(position);
    if (held.length !== position) {
      throw new Error(`slot ${slot} holds ${held.length}, not ${position}`);
    }
    if (position >= this.contextLength) throw new Error("beyond the context");
    held.push({ token, place });
    const seen = held.filter((other) => other.place <= place)
      .sort((a, b) => a.place - b.place);
    return fakeState(seen.map(({ token }) => token));
  }
}

/** Hashes all tokens in their order. */
export function fakeState(tokens: readonly number[]): number {
  return tokens.reduce((state, token) => (state * 31 + token + 7) % 9973, 1);
}

/** Derives logits from a state. */
export function fakeLogits(
  state: number,
  width: number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: width },
    (_, i) => ((state * (i + 3) * 17) % 101) / 10,
  );
}
