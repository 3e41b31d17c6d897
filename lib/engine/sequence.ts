/**
 * A request inside the engine.
 *
 * One prompt is one row of the batch. A guided request has two, conditional and
 * unconditional, which are fed the same tokens and judged together: this is the
 * one place that says so.
 *
 * @module
 */

import type { Head } from "./decoder.ts";

/** What decides how a request goes on. */
export interface Policy {
  /** Which tokens are judged. */
  readonly head: Head;
  /**
   * Chooses the next token.
   *
   * @param logits One row a prompt, `[V]` each; may be overwritten.
   * @returns Tokens to feed before choosing again; none when all is said.
   */
  choose(logits: readonly Float32Array<ArrayBuffer>[]): readonly number[];
}

/** What is asked of the engine. */
export interface EngineRequest {
  /** Rows: one, or conditional and unconditional. */
  readonly prompts: readonly Int32Array[];
  /** Tokens that may be fed after the prompts. */
  readonly maxNewTokens: number;
  /** How it goes on. */
  readonly policy: Policy;
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

/** A row of the batch. */
interface Row {
  readonly slot: number;
  readonly prompt: Int32Array;
  /** Tokens of it that the cache holds. */
  length: number;
  /** After the last token of the prompt. */
  hidden: Float32Array<ArrayBuffer> | undefined;
}

/** A part of a prompt that is due. */
export interface Chunk {
  /** Row of the cache. */
  readonly slot: number;
  /** Tokens to append. */
  readonly tokens: Int32Array;
  /** Where they start. */
  readonly start: number;
}

/** The state of a request that holds slots. */
export class Sequence {
  readonly #rows: readonly Row[];
  readonly #pending: number[] = [];
  /** Runs so far. */
  forwards = 0;
  /** What decides how it goes on. */
  readonly policy: Policy;

  /**
   * Starts with nothing in the cache.
   *
   * @param slots One a prompt.
   */
  constructor(request: EngineRequest, slots: readonly number[]) {
    this.policy = request.policy;
    this.#rows = request.prompts.map((prompt, i) => ({
      slot: slots[i]!,
      prompt,
      length: 0,
      hidden: undefined,
    }));
  }

  /** Slots that it holds. */
  get slots(): number[] {
    return this.#rows.map(({ slot }) => slot);
  }

  /**
   * The next part of a prompt, cut by position so that it does not depend on
   * load; undefined when the prompts are done.
   */
  nextChunk(chunkLength: number): Chunk | undefined {
    const row = this.#rows.find(({ length, prompt }) => length < prompt.length);
    if (row === undefined) return undefined;
    const { slot, prompt, length: start } = row;
    return { slot, tokens: prompt.subarray(start, start + chunkLength), start };
  }

  /**
   * Notes that a chunk has run.
   *
   * @param hidden Hidden states of the chunk, `[S, E]`.
   */
  acceptChunk(chunk: Chunk, hidden: Float32Array<ArrayBuffer>): void {
    const row = this.#rows.find(({ slot }) => slot === chunk.slot)!;
    row.length += chunk.tokens.length;
    this.forwards++;
    if (row.length < row.prompt.length) return;
    const width = hidden.length / chunk.tokens.length;
    row.hidden = hidden.slice(-width);
  }

  /** Hidden states after the prompts, one a row; undefined until all are run. */
  promptHidden(): Float32Array<ArrayBuffer>[] | undefined {
    const states = this.#rows.map(({ hidden }) => hidden);
    return states.every((state) => state !== undefined) ? states : undefined;
  }

  /** Whether a token waits to be fed. */
  get decoding(): boolean {
    return this.#pending.length > 0;
  }

  /** Adds tokens to feed. */
  push(tokens: readonly number[]): void {
    this.#pending.push(...tokens);
  }

  /** The next token, once a row. */
  nextFeeds(): { slot: number; token: number; position: number }[] {
    const token = this.#pending[0]!;
    return this.#rows.map(({ slot, length }) => ({
      slot,
      token,
      position: length,
    }));
  }

  /** Notes that the next token was fed. */
  acceptFeed(): void {
    this.#pending.shift();
    this.forwards++;
    for (const row of this.#rows) row.length++;
  }
}
