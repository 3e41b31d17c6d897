/**
 * The state of a request in the engine.
 *
 * One prompt is one row of the batch. A guided request has two rows,
 * conditional and unconditional, to which the same tokens are appended and
 * which are scored together; no other module depends on that.
 *
 * @module
 */

import {
  type Feed,
  MAX_STEP_TOKENS,
  type MultiTokenRow,
} from "../decoder/decoder.ts";
import type { Draft, Policy } from "./policy.ts";

/** A prompt, with the lengths at which it may be shared. */
export interface Prompt {
  /** Tokens of the prompt. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /**
   * Lengths, ascending, at which its beginning may be shared with other
   * prompts; the last is its whole length.
   */
  readonly prefixBoundaries: readonly number[];
}

/** A request to the engine. */
export interface EngineRequest {
  /** Prompts, one for each row: one, or conditional and unconditional. */
  readonly prompts: readonly Prompt[];
  /** Name of the adapter that its rows run with; undefined for none. */
  readonly adapter?: string | undefined;
  /** Maximum number of tokens appended after the prompts. */
  readonly maxNewTokens: number;
  /** Expected number of tokens appended in a run; 1 by default. */
  readonly tokensPerRun?: number;
  /** The policy that chooses tokens. */
  readonly policy: Policy;
  /** True if it runs for many steps, as a picture does. */
  readonly long: boolean;
  /**
   * Identity of the group of requests that were submitted together; undefined
   * for a single one.
   */
  readonly group?: symbol;
  /**
   * The caller of the request; requests without one belong to the same caller.
   */
  readonly caller?: string | undefined;
  /** Called once it is queued, with the number of requests before it. */
  readonly onQueued?: (position: number) => void;
  /** Called once it has slots and starts. */
  readonly onStarted?: () => void;
}

/** Statistics of a request. Times are in milliseconds. */
export interface Statistics {
  /** Time from arrival to the first run. */
  readonly queueMs: number;
  /** Time from the first run to the first choice. */
  readonly prefillMs: number;
  /** Time from the first choice to the end. */
  readonly decodeMs: number;
  /** Number of decoder runs that included it. */
  readonly forwards: number;
}

/** A hidden state, `[E]`. */
export type HiddenState = Float32Array<ArrayBuffer>;

/** A row of the batch. */
export interface Row {
  /** The prompt of the row. */
  readonly prompt: Prompt;
  /** Name of its adapter; undefined for none. */
  readonly adapter: string | undefined;
  /** Row of the cache. */
  slot: number;
  /** Number of its tokens in the cache. */
  length: number;
  /** The maximum number of tokens that it ever held. */
  written: number;
  /**
   * Hidden states at the prefix boundaries of the computed part of the prompt.
   */
  readonly boundaryStates: Map<number, HiddenState>;
}

/** The next part of a prompt to run. */
export interface Chunk {
  /** The row that it belongs to. */
  readonly row: Row;
  /** Tokens to append. */
  readonly tokens: Int32Array<ArrayBuffer>;
}

/** Tracks a request that holds slots. */
export class Sequence {
  /** Rows, one for each prompt. */
  readonly rows: readonly Row[];
  /** The policy that chooses tokens. */
  readonly policy: Policy;
  /** Number of runs so far. */
  forwards = 0;
  #draft: Draft | undefined;
  /**
   * Position ids of the tokens that were appended after the prompt, if given.
   */
  readonly #positionIds: number[] = [];

  /**
   * Creates the sequence; its slots are empty.
   *
   * @param slots Slots, one for each prompt.
   */
  constructor(request: EngineRequest, slots: readonly number[]) {
    this.policy = request.policy;
    this.rows = request.prompts.map((prompt, i) => ({
      prompt,
      adapter: request.adapter,
      slot: slots[i]!,
      length: 0,
      written: 0,
      boundaryStates: new Map(),
    }));
  }

  /** Number of remaining prompt tokens. */
  get remaining(): number {
    return this.rows.reduce(
      (sum, row) => sum + Math.max(0, row.prompt.tokens.length - row.length),
      0,
    );
  }

  /** Number of tokens appended after the prompt. */
  get appended(): number {
    const [row] = this.rows;
    return Math.max(0, row!.length - row!.prompt.tokens.length);
  }

  /** The row whose prompt runs next; undefined if all have run. */
  get prefilling(): Row | undefined {
    return this.rows.find((row) => row.length < row.prompt.tokens.length);
  }

  /**
   * Returns the next part of a row's prompt: up to the next multiple of
   * `chunkLength`, but never across a prefix boundary. It depends neither on
   * the load nor on the contents of the prefix cache, so results do not either.
   */
  nextChunk(row: Row, chunkLength: number): Chunk {
    const { length, prompt: { tokens, prefixBoundaries } } = row;
    const multiple = chunkLength * (Math.floor(length / chunkLength) + 1);
    const boundary = prefixBoundaries.find((boundary) => boundary > length) ??
      tokens.length;
    return { row, tokens: tokens.slice(length, Math.min(multiple, boundary)) };
  }

  /**
   * Records that a chunk has run.
   *
   * @param hidden Hidden states of the chunk, `[S, E]`.
   */
  acceptChunk({ row, tokens }: Chunk, hidden: HiddenState): void {
    this.forwards++;
    this.#grow(row, tokens.length);
    if (!row.prompt.prefixBoundaries.includes(row.length)) return;
    const width = hidden.length / tokens.length;
    row.boundaryStates.set(row.length, hidden.slice(-width));
  }

  /** Records that a prefix of a row's prompt was restored. */
  acceptPrefix(
    row: Row,
    length: number,
    boundaryStates: ReadonlyMap<number, HiddenState>,
  ): void {
    this.#grow(row, length);
    for (const [boundary, state] of boundaryStates) {
      if (boundary <= length) row.boundaryStates.set(boundary, state);
    }
  }

  /** Returns the hidden states after the prompts, one for each row. */
  promptStates(): HiddenState[] {
    return this.rows.map(({ boundaryStates, prompt }) =>
      boundaryStates.get(prompt.tokens.length)!
    );
  }

  /** True if a draft is to be appended. */
  get decoding(): boolean {
    return this.#draft !== undefined;
  }

  /**
   * True if the draft can be appended in a step with those of other sequences.
   */
  get joinsStep(): boolean {
    if (this.#draft === undefined) return false;
    const { tokens, scored, positionIds } = this.#draft;
    return positionIds === undefined && tokens.length <= MAX_STEP_TOKENS &&
      scored.length === 1 && scored[0] === tokens.length - 1;
  }

  /**
   * Sets the next draft and discards the tokens that the policy does not keep.
   */
  push(draft: Draft): void {
    const before = this.#draft?.tokens.length ?? 0;
    const dropped = before - draft.kept;
    for (const row of this.rows) row.length -= dropped;
    this.#positionIds.length -= this.#draft?.positionIds === undefined
      ? 0
      : dropped;
    this.#positionIds.push(...draft.positionIds ?? []);
    this.#draft = draft;
  }

  /** Returns the draft as feeds of a step, one for each row. */
  feeds(): Feed[] {
    const { tokens } = this.#draft!;
    return this.rows.map(({ slot, length, adapter }) => ({
      slot,
      tokens,
      position: length,
      ...(adapter !== undefined && { adapter }),
    }));
  }

  /** Names of the rows' adapters; undefined for none. */
  get adapters(): (string | undefined)[] {
    return this.rows.map(({ adapter }) => adapter);
  }

  /** Returns the draft as rows of a multi-token step, one for each row. */
  multiTokenRows(): MultiTokenRow[] {
    const explicit = this.#draft!.positionIds !== undefined;
    return this.feeds().map((feed, i) =>
      explicit
        ? { ...feed, positionIds: this.#allPositionIds(this.rows[i]!) }
        : feed
    );
  }

  /** Records that the draft was appended. */
  appendDraft(): void {
    this.forwards++;
    for (const row of this.rows) this.#grow(row, this.#draft!.tokens.length);
  }

  /**
   * Returns the hidden states to score for the policy, by token, then by row.
   *
   * @param hidden Hidden states of the draft, `[S, E]` for each row.
   */
  scored(hidden: readonly HiddenState[]): HiddenState[][] {
    const { tokens, scored } = this.#draft!;
    const width = hidden[0]!.length / tokens.length;
    return scored.map((token) =>
      hidden.map((states) =>
        states.subarray(token * width, (token + 1) * width)
      )
    );
  }

  #grow(row: Row, tokens: number): void {
    row.length += tokens;
    row.written = Math.max(row.written, row.length);
  }

  /** Returns the position ids of a row, from the start of the prompt. */
  #allPositionIds({ prompt: { tokens } }: Row): Int32Array {
    const all = new Int32Array(tokens.length + this.#positionIds.length);
    for (let i = 0; i < tokens.length; i++) all[i] = i;
    for (const [i, id] of this.#positionIds.entries()) {
      all[tokens.length + i] = tokens.length + id;
    }
    return all;
  }
}
