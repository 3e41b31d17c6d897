/**
 * Many requests on one language model.
 *
 * Requests join and leave between steps. A step is a paragraph: admit who may
 * start, run one chunk of one prompt, feed one token to everybody who is
 * drawing or answering, let their policies choose, retire who is done.
 *
 * Knows tokens only: nothing of text, pictures, files or devices.
 *
 * @module
 */

import { OverloadedError, PromptTooLongError } from "../errors.ts";
import type { Decoder } from "./decoder.ts";
import { admissible, retryAfterSeconds } from "./scheduler.ts";
import { type EngineRequest, Sequence, type Statistics } from "./sequence.ts";

/** How an engine runs. */
export interface EngineOptions {
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** A request and where it stands. */
interface Ticket {
  readonly request: EngineRequest;
  readonly signal: AbortSignal;
  readonly settle: PromiseWithResolvers<Statistics>;
  readonly askedAt: number;
  startedAt: number;
  chosenAt: number;
  sequence: Sequence | undefined;
}

/** How fast the average of durations forgets. */
const DURATION_MEMORY = 0.8;

/** Runs requests on a {@linkcode Decoder}. */
export class Engine implements AsyncDisposable {
  readonly #decoder: Decoder;
  readonly #options: EngineOptions;
  readonly #waiting: Ticket[] = [];
  readonly #running = new Set<Ticket>();
  readonly #freeSlots: number[];
  #loop: Promise<void> | undefined;
  #closed = false;
  /** Smoothed seconds that a request runs. */
  #averageSeconds = 1;

  /** Runs nothing until asked. */
  constructor(decoder: Decoder, options: EngineOptions) {
    this.#decoder = decoder;
    this.#options = options;
    this.#freeSlots = [...Array(decoder.slots).keys()];
  }

  /** Tokens that prompt and answer may have together. */
  get contextLength(): number {
    return this.#decoder.contextLength;
  }

  /** Requests in the queue. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Requests that hold slots. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Runs a request to its end.
   *
   * @throws {PromptTooLongError} When it does not fit into a slot.
   * @throws {OverloadedError} When the queue is full.
   * @throws The signal's reason when it aborts.
   */
  async run(request: EngineRequest, signal: AbortSignal): Promise<Statistics> {
    signal.throwIfAborted();
    this.#check(request);
    const ticket: Ticket = {
      request,
      signal,
      settle: Promise.withResolvers(),
      askedAt: this.#options.now(),
      startedAt: 0,
      chosenAt: 0,
      sequence: undefined,
    };
    request.onQueued?.(this.#waiting.length);
    this.#waiting.push(ticket);
    this.#loop ??= this.#runLoop();
    return await ticket.settle.promise;
  }

  /** Ends what runs, after the step at hand. The decoder stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#loop;
  }

  #check({ prompts, maxNewTokens }: EngineRequest): void {
    if (this.#closed) throw new TypeError("Cannot run: the engine is closed");
    const longest = Math.max(...prompts.map(({ length }) => length));
    const needed = longest + maxNewTokens;
    if (needed > this.contextLength) {
      throw new PromptTooLongError(needed, this.contextLength);
    }
    if (prompts.length > this.#decoder.slots) {
      throw new RangeError(
        `Cannot run ${prompts.length} rows: there are ${this.#decoder.slots} slots`,
      );
    }
    if (this.#waiting.length >= this.#options.queueLimit) {
      throw new OverloadedError(
        retryAfterSeconds(
          this.#waiting.length,
          this.#averageSeconds,
          Math.max(1, this.#running.size),
        ),
      );
    }
  }

  async #runLoop(): Promise<void> {
    // The caller sees its promise before anything runs.
    await Promise.resolve();
    while (this.#waiting.length + this.#running.size > 0) await this.#step();
    this.#loop = undefined;
  }

  async #step(): Promise<void> {
    this.#dropCancelled();
    this.#admit();
    await this.#prefill();
    await this.#decode();
  }

  #dropCancelled(): void {
    const closed = new DOMException("the engine is closed", "AbortError");
    const gone = ({ signal }: Ticket) => this.#closed || signal.aborted;
    for (const ticket of [...this.#waiting, ...this.#running].filter(gone)) {
      this.#fail(ticket, ticket.signal.aborted ? ticket.signal.reason : closed);
    }
  }

  #admit(): void {
    const needs = this.#waiting.map(({ request }) => request.prompts.length);
    const count = admissible(needs, this.#freeSlots.length);
    for (const ticket of this.#waiting.splice(0, count)) {
      // The lowest slots first: a step runs all rows up to the highest in use.
      this.#freeSlots.sort((a, b) => a - b);
      const slots = this.#freeSlots.splice(0, ticket.request.prompts.length);
      ticket.sequence = new Sequence(ticket.request, slots);
      ticket.startedAt = this.#options.now();
      this.#running.add(ticket);
      ticket.request.onStarted?.();
    }
  }

  /** Runs one chunk for the first who needs one. */
  async #prefill(): Promise<void> {
    for (const ticket of this.#running) {
      const sequence = ticket.sequence!;
      const chunk = sequence.nextChunk(this.#decoder.chunkLength);
      if (chunk === undefined) continue;
      try {
        const { slot, tokens, start } = chunk;
        const hidden = await this.#decoder.prefill(
          slot,
          tokens,
          start,
          ticket.signal,
        );
        sequence.acceptChunk(chunk, hidden);
        const states = sequence.promptHidden();
        if (states !== undefined) await this.#judge([{ ticket, states }]);
      } catch (error) {
        this.#fail(ticket, error);
      }
      return;
    }
  }

  /** Feeds one token to everybody who has one. */
  async #decode(): Promise<void> {
    const tickets = [...this.#running].filter(({ sequence }) =>
      sequence!.decoding
    );
    if (tickets.length === 0) return;
    const feeds = tickets.map(({ sequence }) => sequence!.nextFeeds());
    try {
      const hidden = await this.#decoder.step(feeds.flat());
      let next = 0;
      const judged: { ticket: Ticket; states: Float32Array<ArrayBuffer>[] }[] =
        [];
      for (const [i, ticket] of tickets.entries()) {
        const states = hidden.slice(next, next += feeds[i]!.length);
        ticket.sequence!.acceptFeed();
        // A forced token that is to follow needs no judgement of this one.
        if (!ticket.sequence!.decoding) judged.push({ ticket, states });
      }
      await this.#judge(judged);
    } catch (error) {
      for (const ticket of tickets) this.#fail(ticket, error);
    }
  }

  /** Lets policies choose, those of one head together. */
  async #judge(
    judged: readonly {
      readonly ticket: Ticket;
      readonly states: readonly Float32Array<ArrayBuffer>[];
    }[],
  ): Promise<void> {
    const byHead = Map.groupBy(
      judged,
      ({ ticket }) => ticket.request.policy.head,
    );
    for (const [head, group] of byHead) {
      const states = group.flatMap(({ states }) => states);
      const logits = await this.#decoder.logits(head, states);
      let next = 0;
      for (const { ticket, states } of group) {
        this.#choose(ticket, logits.slice(next, next += states.length));
      }
    }
  }

  #choose(ticket: Ticket, logits: Float32Array<ArrayBuffer>[]): void {
    ticket.chosenAt ||= this.#options.now();
    try {
      const tokens = ticket.request.policy.choose(logits);
      if (tokens.length > 0) ticket.sequence!.push(tokens);
      else this.#finish(ticket);
    } catch (error) {
      this.#fail(ticket, error);
    }
  }

  #finish(ticket: Ticket): void {
    const now = this.#options.now();
    this.#averageSeconds = DURATION_MEMORY * this.#averageSeconds +
      (1 - DURATION_MEMORY) * (now - ticket.startedAt) / 1000;
    this.#release(ticket);
    ticket.settle.resolve({
      queueMs: ticket.startedAt - ticket.askedAt,
      prefillMs: ticket.chosenAt - ticket.startedAt,
      decodeMs: now - ticket.chosenAt,
      forwards: ticket.sequence!.forwards,
    });
  }

  #fail(ticket: Ticket, error: unknown): void {
    this.#release(ticket);
    ticket.settle.reject(error);
  }

  #release(ticket: Ticket): void {
    const index = this.#waiting.indexOf(ticket);
    if (index !== -1) this.#waiting.splice(index, 1);
    if (!this.#running.delete(ticket)) return;
    for (const slot of ticket.sequence!.slots) {
      this.#decoder.release(slot);
      this.#freeSlots.push(slot);
    }
  }
}
