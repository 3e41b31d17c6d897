/**
 * A decoder whose logits are a stated function of the tokens a slot was fed.
 *
 * It keeps no secrets: a token at the wrong position, in a slot that was not
 * begun, or beyond the context is an error.
 *
 * @module
 */

import type { Decoder, Feed, Head } from "../../lib/engine/decoder.ts";

/** What a fake decoder is like. */
export interface FakeDecoderOptions {
  readonly slots: number;
  readonly contextLength: number;
  readonly chunkLength?: number;
  /** Tokens judged. */
  readonly width?: number;
  /** Awaited before each run, to hold it up or to fail. */
  readonly beforeRun?: () => Promise<void> | void;
}

/** A decoder made of arithmetic. */
export class FakeDecoder implements Decoder {
  readonly slots: number;
  readonly contextLength: number;
  readonly chunkLength: number;
  readonly #width: number;
  readonly #beforeRun: () => Promise<void> | void;
  readonly #held: number[][];
  /** Feeds of each step so far. */
  readonly steps: Feed[][] = [];
  /** Slots, starts and lengths of each prefill so far. */
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
    return feeds.map(({ slot, token, position }) =>
      Float32Array.of(this.#append(slot, token, position))
    );
  }

  release(slot: number): void {
    this.#held[slot]!.length = 0;
  }

  logits(
    _head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    return Promise.resolve(
      hidden.map(([state]) => fakeLogits(state!, this.#width)),
    );
  }

  /** Slots that hold tokens. */
  get slotsInUse(): number {
    return this.#held.filter(({ length }) => length > 0).length;
  }

  #append(slot: number, token: number, position: number): number {
    const held = this.#held[slot]!;
    if (held.length !== position) {
      throw new Error(`slot ${slot} holds ${held.length}, not ${position}`);
    }
    if (position >= this.contextLength) throw new Error("beyond the context");
    held.push(token);
    return fakeState(held);
  }
}

/** A number that depends on all tokens and their order. */
export function fakeState(tokens: readonly number[]): number {
  return tokens.reduce((state, token) => (state * 31 + token + 7) % 9973, 1);
}

/** Logits that depend on a state. */
export function fakeLogits(
  state: number,
  width: number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: width },
    (_, i) => ((state * (i + 3) * 17) % 101) / 10,
  );
}
