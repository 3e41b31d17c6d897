/**
 * A request inside the engine.
 *
 * One prompt is one row of the batch. A guided request has two, conditional and
 * unconditional, which are fed the same tokens and judged together: this is the
 * one place that says so.
 *
 * @module
 */

import {
  type Feed,
  MAX_STEP_TOKENS,
  type WideRow,
} from "../decoder/decoder.ts";
import type { Draft, Policy } from "./policy.ts";

/** A prompt, and where others may part from it. */
export interface Prompt {
  /** What the model is fed first. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /**
   * Lengths, ascending, at which its beginning may be shared with other prompts;
   * the last is its whole length.
   */
  readonly cuts: readonly number[];
}

/** What is asked of the engine. */
export interface EngineRequest {
  /** Rows: one, or conditional and unconditional. */
  readonly prompts: readonly Prompt[];
  /** Tokens that the cache must hold after the prompts. */
  readonly maxNewTokens: number;
  /** How many of them a run feeds, where that is known; 1 when left out. */
  readonly tokensPerRun?: number;
  /** How it goes on. */
  readonly policy: Policy;
  /** Whether it runs for many steps, as a picture does. */
  readonly long: boolean;
  /** The same for what was asked for together; undefined when alone. */
  readonly group?: symbol;
  /** On whose behalf it runs; those without one count as one caller's. */
  readonly caller?: string | undefined;
  /** Told once it is in the queue, behind so many others. */
  readonly onQueued?: (position: number) => void;
  /** Told once it has slots. */
  readonly onStarted?: () => void;
}

/** What a request took. Times are in milliseconds. */
export interface Statistics {
  /** From asking to the first run. */
  readonly queueMs: number;
  /** From the first run to the first choice. */
  readonly prefillMs: number;
  /** From there to the end. */
  readonly decodeMs: number;
  /** Runs of the decoder that it took part in. */
  readonly forwards: number;
}

/** A hidden state, `[E]`. */
export type HiddenState = Float32Array<ArrayBuffer>;

/** A row of the batch. */
export interface Row {
  /** What it is fed first. */
  readonly prompt: Prompt;
  /** Row of the cache. */
  slot: number;
  /** Tokens that the cache holds of it. */
  length: number;
  /** The most that it ever held. */
  written: number;
  /** After the tokens at which the prompt may be cut, as far as it has run. */
  readonly cutStates: Map<number, HiddenState>;
}

/** A part of a prompt that is due. */
export interface Chunk {
  /** Whose. */
  readonly row: Row;
  /** Tokens to append. */
  readonly tokens: Int32Array<ArrayBuffer>;
}

/** The state of a request that holds slots. */
export class Sequence {
  /** One a prompt. */
  readonly rows: readonly Row[];
  /** What decides how it goes on. */
  readonly policy: Policy;
  /** Runs so far. */
  forwards = 0;
  #draft: Draft | undefined;
  /** Of the tokens that were fed after the prompt, where that was told. */
  readonly #places: number[] = [];

  /**
   * Starts with nothing in the cache.
   *
   * @param slots One a prompt.
   */
  constructor(request: EngineRequest, slots: readonly number[]) {
    this.policy = request.policy;
    this.rows = request.prompts.map((prompt, i) => ({
      prompt,
      slot: slots[i]!,
      length: 0,
      written: 0,
      cutStates: new Map(),
    }));
  }

  /** Tokens of prompts that are still to run. */
  get remaining(): number {
    return this.rows.reduce(
      (sum, row) => sum + Math.max(0, row.prompt.tokens.length - row.length),
      0,
    );
  }

  /** Tokens fed after the prompt. */
  get fed(): number {
    const [row] = this.rows;
    return Math.max(0, row!.length - row!.prompt.tokens.length);
  }

  /** The row whose prompt is due; undefined when all have run. */
  get prefilling(): Row | undefined {
    return this.rows.find((row) => row.length < row.prompt.tokens.length);
  }

  /**
   * The next part of a row's prompt: to the next multiple of `chunkLength`, but
   * never across a cut. It depends neither on load nor on what was computed
   * before, so that results do not either.
   */
  nextChunk(row: Row, chunkLength: number): Chunk {
    const { length, prompt: { tokens, cuts } } = row;
    const multiple = chunkLength * (Math.floor(length / chunkLength) + 1);
    const cut = cuts.find((cut) => cut > length) ?? tokens.length;
    return { row, tokens: tokens.slice(length, Math.min(multiple, cut)) };
  }

  /**
   * Notes that a chunk has run.
   *
   * @param hidden Hidden states of the chunk, `[S, E]`.
   */
  acceptChunk({ row, tokens }: Chunk, hidden: HiddenState): void {
    this.forwards++;
    this.#grow(row, tokens.length);
    if (!row.prompt.cuts.includes(row.length)) return;
    const width = hidden.length / tokens.length;
    row.cutStates.set(row.length, hidden.slice(-width));
  }

  /** Notes that the beginning of a row's prompt was there already. */
  acceptPrefix(
    row: Row,
    length: number,
    cutStates: ReadonlyMap<number, HiddenState>,
  ): void {
    this.#grow(row, length);
    for (const [cut, state] of cutStates) {
      if (cut <= length) row.cutStates.set(cut, state);
    }
  }

  /** Hidden states after the prompts, one a row. */
  promptStates(): HiddenState[] {
    return this.rows.map(({ cutStates, prompt }) =>
      cutStates.get(prompt.tokens.length)!
    );
  }

  /** Whether tokens wait to be fed. */
  get decoding(): boolean {
    return this.#draft !== undefined;
  }

  /** Whether they can join a step with those of others. */
  get narrow(): boolean {
    if (this.#draft === undefined) return false;
    const { tokens, judged, places } = this.#draft;
    return places === undefined && tokens.length <= MAX_STEP_TOKENS &&
      judged.length === 1 && judged[0] === tokens.length - 1;
  }

  /** Takes what is to be fed next, and forgets what does not stay. */
  push(draft: Draft): void {
    const before = this.#draft?.tokens.length ?? 0;
    const dropped = before - draft.kept;
    for (const row of this.rows) row.length -= dropped;
    this.#places.length -= this.#draft?.places === undefined ? 0 : dropped;
    this.#places.push(...draft.places ?? []);
    this.#draft = draft;
  }

  /** The draft as a step takes it, once a row. */
  feeds(): Feed[] {
    const { tokens } = this.#draft!;
    return this.rows.map(({ slot, length }) => ({
      slot,
      tokens,
      position: length,
    }));
  }

  /** The draft as a wide run takes it, once a row. */
  wideRows(): WideRow[] {
    const placed = this.#draft!.places !== undefined;
    return this.feeds().map((feed, i) =>
      placed ? { ...feed, places: this.#allPlaces(this.rows[i]!) } : feed
    );
  }

  /** Notes that the draft was fed. */
  acceptFeed(): void {
    this.forwards++;
    for (const row of this.rows) this.#grow(row, this.#draft!.tokens.length);
  }

  /**
   * The hidden states that the policy wants judged, by token, then by row.
   *
   * @param hidden Of the draft, `[S, E]` a row.
   */
  judged(hidden: readonly HiddenState[]): HiddenState[][] {
    const { tokens, judged } = this.#draft!;
    const width = hidden[0]!.length / tokens.length;
    return judged.map((token) =>
      hidden.map((states) =>
        states.subarray(token * width, (token + 1) * width)
      )
    );
  }

  #grow(row: Row, tokens: number): void {
    row.length += tokens;
    row.written = Math.max(row.written, row.length);
  }

  /** From the start of the prompt. */
  #allPlaces({ prompt: { tokens } }: Row): Int32Array {
    const all = new Int32Array(tokens.length + this.#places.length);
    for (let i = 0; i < tokens.length; i++) all[i] = i;
    for (const [i, place] of this.#places.entries()) {
      all[tokens.length + i] = tokens.length + place;
    }
    return all;
  }
}
