/**
 * The engine: runs many requests on one language model.
 *
 * Requests join and leave the batch between steps (continuous batching). A step
 * drops canceled requests, admits those that may start, prefills one chunk of
 * one prompt, appends the drafts of all policies, lets them choose, and retires
 * requests that are done.
 *
 * The engine handles tokens only; it does not depend on text, pictures, files
 * or devices.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import type { Decoder, Snapshot } from "../decoder/decoder.ts";
import { type Fairness, fairnessWith } from "./admission.ts";
import { reservationOf } from "./reservation.ts";
import { StepTime } from "./step_time.ts";
import { MAX_PREFILL_WAIT, nextPrefill } from "./prefill_order.ts";
import { RequestQueue } from "./request_queue.ts";
import { retryAfterSeconds, type Running } from "./retry_after.ts";
import {
  type EngineRequest,
  type HiddenState,
  type Row,
  Sequence,
  type Statistics,
} from "./sequence.ts";
import { type CacheState, KvSlots } from "./kv_slots.ts";
import { adaptersOf, type PendingScores, type Ticket } from "./ticket.ts";

/** Options of {@linkcode Engine}. */
export interface EngineOptions {
  /**
   * Maximum number of waiting requests of one caller; those of one group count
   * as one. The total limit is a third more, at least one.
   */
  readonly queueLimit: number;
  /** Number of tokens that slots and kept prefixes may hold together. */
  readonly cacheTokens: number;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** The current load of an engine. */
export interface EngineState {
  /** Number of rows that may run together. */
  readonly slots: number;
  /** Number of rows that run. */
  readonly slotsInUse: number;
  /** Number of requests in the queue. */
  readonly waiting: number;
  /** Number of requests that hold slots. */
  readonly running: number;
  /** Waiting time of the request that waits longest; 0 if none does. */
  readonly oldestWaitMs: number;
  /** Number of decoder runs so far; a batch counts as one. */
  readonly forwards: number;
  /** State of the KV cache. */
  readonly cache: CacheState;
}

/** Runs requests on a {@linkcode Decoder}. */
export class Engine<Kept extends Snapshot = Snapshot>
  implements AsyncDisposable {
  readonly #decoder: Decoder<Kept>;
  readonly #options: EngineOptions;
  readonly #kvSlots: KvSlots<Kept>;
  readonly #fairness: Fairness;
  readonly #waiting: RequestQueue<Ticket>;
  readonly #running = new Set<Ticket>();
  readonly #stepTime = new StepTime();
  #loop: Promise<void> | undefined;
  /** The error of requests that a closed engine drops; undefined before. */
  #closed: DOMException | undefined;
  #forwards = 0;

  /** Creates the engine; it runs nothing before the first request. */
  constructor(decoder: Decoder<Kept>, options: EngineOptions) {
    this.#decoder = decoder;
    this.#options = options;
    const { cacheTokens, queueLimit } = options;
    this.#waiting = new RequestQueue(queueLimit);
    this.#fairness = fairnessWith(cacheTokens);
    this.#kvSlots = new KvSlots(decoder, cacheTokens, this.#fairness);
  }

  /** Maximum number of tokens of prompt and answer together. */
  get contextLength(): number {
    return this.#decoder.contextLength;
  }

  /** The current load. */
  get state(): EngineState {
    return {
      slots: this.#decoder.slots,
      slotsInUse: this.#decoder.slots - this.#kvSlots.budget.idle.length,
      waiting: this.#waiting.size,
      running: this.#running.size,
      oldestWaitMs: this.#oldestWaitMs(),
      forwards: this.#forwards,
      cache: this.#kvSlots.state,
    };
  }

  /**
   * Runs a request to its end.
   *
   * @throws {PromptTooLongError} If it does not fit into the context.
   * @throws {CacheTooSmallError} If it can never fit into the memory.
   * @throws {OverloadedError} If the queue is full for its caller.
   * @throws The signal's reason if it aborts.
   */
  async run(request: EngineRequest, signal: AbortSignal): Promise<Statistics> {
    signal.throwIfAborted();
    if (this.#closed) throw new TypeError("Cannot run: the engine is closed");
    const { budget } = this.#kvSlots;
    const reservation = reservationOf(request, this.contextLength, budget);
    const ticket: Ticket = {
      request,
      caller: request.caller ?? "",
      reservation,
      signal,
      completion: Promise.withResolvers(),
      queuedAt: this.#options.now(),
      passed: 0,
      waited: 0,
      startedAt: 0,
      chosenAt: 0,
      sequence: undefined,
    };
    if (!this.#waiting.add(ticket)) {
      throw new OverloadedError(this.#retryAfterSeconds());
    }
    request.onQueued?.(this.#waiting.order.indexOf(ticket));
    this.#loop ??= this.#runLoop();
    return await ticket.completion.promise;
  }

  /** Ends running requests after the current step. The decoder stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = new DOMException("the engine is closed", "AbortError");
    await this.#loop;
  }

  /** Returns the waiting time of the oldest request, in milliseconds. */
  #oldestWaitMs(): number {
    const now = this.#options.now();
    return now - (this.#waiting.oldestAskedAt ?? now);
  }

  #retryAfterSeconds(): number {
    const running = [...this.#running].map((ticket): Running => {
      const { remaining, appended, rows } = ticket.sequence!;
      const { maxNewTokens, tokensPerRun = 1 } = ticket.request;
      const chunks = Math.ceil(remaining / this.#decoder.chunkLength);
      return {
        ...ticket.reservation,
        slots: rows.map(({ slot }) => slot),
        steps: chunks + Math.ceil((maxNewTokens - appended) / tokensPerRun),
      };
    });
    return retryAfterSeconds(
      {
        waiting: this.#waiting.reservations,
        running,
        budget: this.#kvSlots.budget,
      },
      this.#fairness,
      this.#stepTime.secondsPerStep,
    );
  }

  async #runLoop(): Promise<void> {
    // The promise is returned before anything runs.
    await Promise.resolve();
    while (this.#waiting.size + this.#running.size > 0) {
      const startedAt = this.#options.now();
      await this.#step();
      this.#stepTime.note((this.#options.now() - startedAt) / 1000);
    }
    this.#loop = undefined;
  }

  async #step(): Promise<void> {
    this.#dropCanceled();
    this.#admit();
    await this.#prefill();
    await this.#stepTogether();
    await this.#runMultiTokenSteps();
  }

  #dropCanceled(): void {
    for (const ticket of [...this.#waiting.order, ...this.#running]) {
      if (ticket.signal.aborted) this.#fail(ticket, ticket.signal.reason);
      else if (this.#closed) this.#fail(ticket, this.#closed);
    }
  }

  #admit(): void {
    for (;;) {
      const running = [...this.#running].map(({ reservation }) => reservation);
      const { order, reservations } = this.#waiting;
      const start = this.#kvSlots.start(
        reservations,
        running,
        (index) => order[index]!.request,
      );
      if (start === undefined) return;
      for (const index of start.passed) order[index]!.passed++;
      const ticket = order[start.index]!;
      this.#waiting.start(ticket);
      ticket.sequence = new Sequence(ticket.request, start.slots);
      ticket.startedAt = this.#options.now();
      this.#running.add(ticket);
      ticket.request.onStarted?.();
    }
  }

  /** Prefills one chunk of the next request. */
  async #prefill(): Promise<void> {
    const due = [...this.#running].filter(({ sequence }) =>
      sequence!.remaining > 0
    );
    const next = nextPrefill(
      due.map(({ sequence, waited }) => ({
        remaining: sequence!.remaining,
        waited,
      })),
      MAX_PREFILL_WAIT,
    );
    if (next === undefined) return;
    const ticket = due[next]!;
    for (const other of due) other.waited++;
    ticket.waited = 0;
    try {
      await this.#prefillChunk(ticket, ticket.sequence!);
    } catch (error) {
      this.#fail(ticket, error);
    }
  }

  async #prefillChunk(ticket: Ticket, sequence: Sequence): Promise<void> {
    const row = sequence.prefilling!;
    if (row.length === 0) await this.#kvSlots.restore(sequence, row);
    if (sequence.prefilling === row) {
      const chunk = sequence.nextChunk(row, this.#decoder.chunkLength);
      this.#forwards++;
      const hidden = await this.#decoder.prefill(
        row.slot,
        chunk.tokens,
        row.length,
        ticket.signal,
        row.adapter,
      );
      sequence.acceptChunk(chunk, hidden);
      if (sequence.prefilling !== row) await this.#kvSlots.keep(row);
    }
    if (sequence.prefilling !== undefined) return;
    await this.#score([{ ticket, states: [sequence.promptStates()] }]);
  }

  /** Runs one step for all rows that are appended one or two tokens. */
  async #stepTogether(): Promise<void> {
    const tickets = [...this.#running].filter(({ sequence }) =>
      sequence!.joinsStep
    );
    if (tickets.length === 0) return;
    try {
      await this.#compact(tickets);
      const feeds = tickets.map(({ sequence }) => sequence!.feeds());
      this.#forwards++;
      const hidden = await this.#decoder.step(feeds.flat());
      let next = 0;
      const pending = tickets.map((ticket, i) => {
        ticket.sequence!.appendDraft();
        return {
          ticket,
          states: [hidden.slice(next, next += feeds[i]!.length)],
        };
      });
      await this.#score(pending);
    } catch (error) {
      for (const ticket of tickets) this.#fail(ticket, error);
    }
  }

  async #compact(tickets: readonly Ticket[]): Promise<void> {
    const reserved = new Map<Row, number>();
    for (const { sequence, reservation } of tickets) {
      sequence!.rows.forEach((row, i) =>
        reserved.set(row, reservation.rows[i]!)
      );
    }
    await this.#kvSlots.compact(
      [...reserved.keys()],
      (row) => reserved.get(row)!,
    );
  }

  /** Runs one step for each request that appends more tokens. */
  async #runMultiTokenSteps(): Promise<void> {
    const tickets = [...this.#running].filter(({ sequence }) =>
      sequence!.decoding && !sequence!.joinsStep
    );
    for (const ticket of tickets) {
      const sequence = ticket.sequence!;
      try {
        this.#forwards++;
        const hidden = await this.#decoder.multiTokenStep(
          sequence.multiTokenRows(),
          ticket.signal,
        );
        sequence.appendDraft();
        await this.#score([{ ticket, states: sequence.scored(hidden) }]);
      } catch (error) {
        this.#fail(ticket, error);
      }
    }
  }

  /** Lets policies choose, with one run of each head. */
  async #score(pending: readonly PendingScores[]): Promise<void> {
    const byHead = Map.groupBy(
      pending,
      ({ ticket }) => ticket.request.policy.head,
    );
    for (const [head, group] of byHead) {
      const states = group.flatMap(({ states }) => states.flat());
      const adapters = group.flatMap(adaptersOf);
      const logits = await this.#decoder.logits(head, states, adapters);
      let next = 0;
      for (const { ticket, states } of group) {
        const scored = states.map((rows) =>
          logits.slice(next, next += rows.length)
        );
        this.#choose(ticket, scored);
      }
    }
  }

  #choose(ticket: Ticket, scored: HiddenState[][]): void {
    ticket.chosenAt ||= this.#options.now();
    try {
      const draft = ticket.request.policy.choose(scored);
      if (draft === undefined) this.#finish(ticket);
      else ticket.sequence!.push(draft);
    } catch (error) {
      this.#fail(ticket, error);
    }
  }

  #finish(ticket: Ticket): void {
    const now = this.#options.now();
    this.#release(ticket);
    ticket.completion.resolve({
      queueMs: ticket.startedAt - ticket.queuedAt,
      prefillMs: ticket.chosenAt - ticket.startedAt,
      decodeMs: now - ticket.chosenAt,
      forwards: ticket.sequence!.forwards,
    });
  }

  #fail(ticket: Ticket, error: unknown): void {
    this.#release(ticket);
    ticket.completion.reject(error);
  }

  #release(ticket: Ticket): void {
    const rows = ticket.sequence?.rows ?? [];
    this.#waiting.remove(ticket, rows.map(({ written }) => written));
    if (!this.#running.delete(ticket)) return;
    for (const row of rows) this.#kvSlots.release(row);
  }
}
