/**
 * The simulated engine: the rules of the real scheduler for admission, prefill
 * and memory, with times from a table in place of a model.
 *
 * ```text
 * step   admit ─▶ one chunk of a prompt ─▶ a token to each decoding row ─▶
 *                                          speculative rows, one by one
 * ```
 *
 * Each arrow is a run that takes time; requests arrive at any time, and join at
 * the next step. A test compares it with the real engine, run by run.
 *
 * @module
 */

import {
  type Fairness,
  fairnessWith,
  nextStart,
  type Reservation,
} from "../../lib/engine/admission.ts";
import { CacheBudget } from "../../lib/engine/cache_budget.ts";
import { Pace } from "../../lib/engine/pace.ts";
import {
  MAX_PREFILL_WAIT,
  nextPrefill,
} from "../../lib/engine/prefill_order.ts";
import { PrefixCache } from "../../lib/engine/prefix_cache.ts";
import { retryAfterSeconds } from "../../lib/engine/retry_after.ts";
import { SHORTEST_PREFIX } from "../../lib/engine/kv_slots.ts";
import { costOf, type StepCosts } from "./step_cost.ts";
import { fedAfter, type RequestClass } from "./workload.ts";

/** The size of an engine. */
export interface EngineSize {
  /** Rows that may run concurrently. */
  readonly slots: number;
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** Tokens that the KV cache may hold. */
  readonly cacheTokens: number;
  /** Most tokens of one prefill. */
  readonly chunkTokens: number;
  /** Durations of its runs. */
  readonly costs: StepCosts;
}

/** A request at a replica. Times are in milliseconds. */
export interface PlannedRequest {
  /** Class of the request. */
  readonly kind: RequestClass;
  /** Tokens of its prompts, as the prefix cache compares them. */
  readonly prompts: readonly Int32Array[];
  /** Time at which it got its slots. */
  startedAt: number;
  /** Time at which its first token was chosen. */
  firstAt: number;
  /** Time at which its last token was chosen. */
  finishedAt: number;
}

/** A request in the queue or in a slot. */
interface Ticket extends Reservation {
  readonly request: PlannedRequest;
  passed: number;
}

/** A row of the batch. */
interface Row {
  slot: number;
  length: number;
}

/** A request that holds slots. */
interface Active {
  readonly ticket: Ticket;
  readonly rows: readonly Row[];
  waited: number;
  /** Runs after the prompts; undefined before that. */
  runs: number | undefined;
}

/** Rows of the smallest run: one row costs as much as two. */
const MIN_ROWS = 2;

/** A simulated engine. */
export class Replica {
  readonly #size: EngineSize;
  readonly #fairness: Fairness;
  readonly #prefixes: PrefixCache<null>;
  readonly #budget: CacheBudget;
  readonly #pace = new Pace();
  readonly #waiting: Ticket[] = [];
  #running: Active[] = [];
  readonly #steps: Generator<number, never>;
  /** True if requests came or left since the last scan of all. */
  #changed = false;
  #now = 0;
  /** Time spent running, in milliseconds. */
  busyMs = 0;

  /** Creates an idle engine. */
  constructor(size: EngineSize) {
    this.#size = size;
    const { cacheTokens, slots } = size;
    this.#fairness = fairnessWith(cacheTokens);
    this.#prefixes = new PrefixCache(Math.floor(cacheTokens / 2));
    this.#budget = new CacheBudget(cacheTokens, slots, this.#prefixes);
    this.#steps = this.#forever();
  }

  /** Number of requests that wait or run. */
  get load(): number {
    return this.#waiting.length + this.#running.length;
  }

  /** Number of requests that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Adds a request.
   *
   * @returns The Retry-After seconds for a full queue; undefined if the request
   * was accepted.
   */
  offer(request: PlannedRequest): number | undefined {
    if (this.#waiting.length >= this.#size.queueLimit) {
      return this.#retryAfterSeconds();
    }
    const { prompts, kind: { maxNewTokens, long } } = request;
    const rows = prompts.map(({ length }) => length + maxNewTokens);
    this.#waiting.push({ request, rows, long, group: request, passed: 0 });
    this.#changed = true;
    return undefined;
  }

  /** Returns true if a request can ever run here. */
  fits({ prompts, maxNewTokens }: RequestClass): boolean {
    return this.#budget.fitsAlone(
      prompts.map((length) => length + maxNewTokens),
    );
  }

  /**
   * Ends the current run, if there is one, and begins the next.
   *
   * @param now Current time, in milliseconds.
   * @returns The time at which the next run ends; Infinity while idle.
   */
  advance(now: number): number {
    this.#now = now;
    const milliseconds = this.#steps.next().value;
    if (milliseconds < Infinity) this.busyMs += milliseconds;
    return now + milliseconds;
  }

  /** Yields the duration of each run; resumes when the run is over. */
  *#forever(): Generator<number, never> {
    for (;;) {
      while (this.load > 0) {
        const startedAt = this.#now;
        yield* this.#step();
        this.#pace.note((this.#now - startedAt) / 1000);
      }
      yield Infinity;
    }
  }

  *#step(): Generator<number, void> {
    if (this.#changed) this.#admit();
    yield* this.#prefill();
    yield* this.#stepTogether();
    yield* this.#runWide();
  }

  #admit(): void {
    this.#changed = false;
    for (;;) {
      const start = nextStart({
        waiting: this.#waiting,
        running: this.#running.map(({ ticket }) => ticket),
        budget: this.#budget,
      }, this.#fairness);
      if (start === undefined) return;
      for (const index of start.passed) this.#waiting[index]!.passed++;
      const [ticket] = this.#waiting.splice(start.index, 1);
      const { request, rows } = ticket!;
      for (const tokens of request.prompts) {
        this.#prefixes.renew(tokens, [tokens.length]);
      }
      this.#reclaim(start.trim, start.evict);
      for (const [i, slot] of start.slots.entries()) {
        this.#budget.reserve(slot, rows[i]!);
      }
      request.startedAt = this.#now;
      this.#running.push({
        ticket: ticket!,
        rows: start.slots.map((slot) => ({ slot, length: 0 })),
        waited: 0,
        runs: undefined,
      });
    }
  }

  *#prefill(): Generator<number, void> {
    const due = this.#running.filter(({ runs }) => runs === undefined);
    const next = nextPrefill(
      due.map((active) => ({ remaining: remaining(active), ...active })),
      MAX_PREFILL_WAIT,
    );
    if (next === undefined) return;
    const active = due[next]!;
    for (const other of due) other.waited++;
    active.waited = 0;
    const index = unfinished(active)!;
    const row = active.rows[index]!;
    const tokens = active.ticket.request.prompts[index]!;
    if (row.length === 0) {
      row.length = this.#prefixes.longest(tokens, [tokens.length])?.length ?? 0;
    }
    if (row.length < tokens.length) {
      const { chunkTokens, costs } = this.#size;
      const multiple = chunkTokens * (Math.floor(row.length / chunkTokens) + 1);
      const end = Math.min(multiple, tokens.length);
      yield costOf(costs.prefill, end - row.length);
      row.length = end;
      if (end === tokens.length) this.#keep(tokens);
    }
    if (unfinished(active) !== undefined) return;
    active.runs = 0;
    active.ticket.request.firstAt = this.#now;
    this.#retireIfDone(active);
  }

  *#stepTogether(): Generator<number, void> {
    const together = this.#decoding((perRun) => perRun === 1);
    if (together.length === 0) return;
    this.#compact(together);
    const rows = together.flatMap(({ rows }) => rows);
    // A step runs all rows up to the highest.
    const height = Math.max(MIN_ROWS, 1 + Math.max(...rows.map(slotOf)));
    const held = rows.reduce((sum, { length }) => sum + length, 0);
    const { step, heldTokenMs } = this.#size.costs;
    yield costOf(step, height) + heldTokenMs * held;
    for (const active of together) this.#feed(active);
  }

  *#runWide(): Generator<number, void> {
    for (const active of this.#decoding((perRun) => perRun > 1)) {
      yield costOf(this.#size.costs.wide, active.rows.length);
      this.#feed(active);
    }
  }

  #decoding(fits: (tokensPerRun: number) => boolean): Active[] {
    return this.#running.filter(({ runs, ticket: { request: { kind } } }) =>
      runs !== undefined && fits(kind.tokensPerRun)
    );
  }

  #feed(active: Active): void {
    const { prompts, kind } = active.ticket.request;
    const runs = ++active.runs!;
    const fed = fedAfter(kind, runs);
    for (const [i, row] of active.rows.entries()) {
      row.length = prompts[i]!.length + fed;
    }
    this.#retireIfDone(active);
  }

  #retireIfDone(active: Active): void {
    const { ticket: { request }, rows, runs } = active;
    if (runs! < request.kind.runs) return;
    request.finishedAt = this.#now;
    this.#running = this.#running.filter((other) => other !== active);
    for (const { slot, length } of rows) this.#budget.release(slot, length);
    this.#changed = true;
  }

  #keep(tokens: Int32Array): void {
    const { length } = tokens;
    if (length < SHORTEST_PREFIX || this.#prefixes.has(tokens)) return;
    if (length > this.#prefixes.capacity) return;
    const room = this.#budget.roomForSnapshot(length);
    if (room === undefined) return;
    this.#reclaim(room.trim, room.evict);
    this.#prefixes.insert(tokens, [length], null);
  }

  #compact(together: readonly Active[]): void {
    const rows = together.flatMap(({ rows, ticket }) =>
      rows.map((row, i) => ({ row, reserved: ticket.rows[i]! }))
    );
    for (;;) {
      const [lowest] = this.#budget.idle;
      const highest = rows.reduce((a, b) => b.row.slot > a.row.slot ? b : a);
      const { row, reserved } = highest;
      if (lowest === undefined || lowest > row.slot) return;
      this.#budget.trim(lowest);
      this.#budget.release(row.slot, row.length);
      this.#budget.trim(row.slot);
      this.#budget.reserve(lowest, reserved);
      row.slot = lowest;
    }
  }

  #reclaim(trim: readonly number[], evict: number): void {
    for (const slot of trim) this.#budget.trim(slot);
    if (evict > 0) this.#prefixes.evict(evict);
  }

  #retryAfterSeconds(): number {
    const { chunkTokens } = this.#size;
    const running = this.#running.map((active) => {
      const { ticket, rows, runs = 0 } = active;
      const { kind } = ticket.request;
      const left = kind.maxNewTokens - fedAfter(kind, runs);
      const chunks = Math.ceil(remaining(active) / chunkTokens);
      return {
        ...ticket,
        slots: rows.map(slotOf),
        steps: chunks + Math.ceil(left / kind.tokensPerRun),
      };
    });
    const load = { waiting: this.#waiting, running, budget: this.#budget };
    return retryAfterSeconds(load, this.#fairness, this.#pace.secondsPerStep);
  }
}

/** Returns the tokens of prompts that are still to run. */
function remaining({ ticket: { request }, rows }: Active): number {
  return request.prompts.reduce(
    (sum, { length }, i) => sum + Math.max(0, length - rows[i]!.length),
    0,
  );
}

/** Returns the row whose prompt is due. */
function unfinished({ ticket: { request }, rows }: Active): number | undefined {
  const index = request.prompts.findIndex(({ length }, i) =>
    rows[i]!.length < length
  );
  return index === -1 ? undefined : index;
}

function slotOf({ slot }: Row): number {
  return slot;
}
