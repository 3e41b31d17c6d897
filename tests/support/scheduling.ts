/**
 * The simulation of an engine's scheduling, without any computation.
 *
 * A step is that of the engine: drop canceled requests, admit, prefill one
 * chunk, append one token to every decoding row, retire.
 *
 * @module
 */

import { ok, strictEqual } from "node:assert/strict";
import { FairOrder } from "../../lib/async/fair_order.ts";
import {
  type Fairness,
  nextStart,
  type Waiting,
} from "../../lib/engine/admission.ts";
import { CacheBudget } from "../../lib/engine/cache_budget.ts";
import { nextPrefill } from "../../lib/engine/prefill_order.ts";
import { PrefixCache } from "../../lib/engine/prefix_cache.ts";
import type { Running } from "../../lib/engine/retry_after.ts";

/** A request and its simulated course. */
export interface Job {
  /** Step of its arrival. */
  readonly arrival: number;
  /** Prompts. */
  readonly prompts: readonly Int32Array[];
  /** Tokens of each prompt that others may share; 0 for none. */
  readonly cut: number;
  /** Limit of its new tokens. */
  readonly maxNewTokens: number;
  /** Tokens after which it is done, within the limit. */
  readonly newTokens: number;
  /** True if it counts as a picture. */
  readonly long: boolean;
  /** Group of the request. */
  readonly group: number;
  /** Client of the request. */
  readonly caller: number;
  /** Step at which the client disconnects; Infinity for never. */
  readonly cancel: number;
}

/** The capacity that jobs run on. */
export interface Machine {
  /** Count of slots. */
  readonly slots: number;
  /** Tokens of the cache. */
  readonly tokens: number;
  /** Tokens that snapshots may hold. */
  readonly snapshotTokens: number;
  /** Tokens of one prefill chunk. */
  readonly chunkLength: number;
  /** Chunks of others that may run first. */
  readonly maxWait: number;
  /** Limits that prevent starvation. */
  readonly fairness: Fairness;
}

/** A job in the queue. */
export interface Queued extends Waiting {
  /** Job that waits. */
  readonly job: Job;
  passed: number;
  tag: number;
}

/** A job that holds slots. */
interface Active {
  readonly queued: Queued;
  readonly slots: readonly number[];
  /** Tokens in each row. */
  readonly lengths: number[];
  waited: number;
  newTokens: number;
}

/** A simulation that verifies in each step that no job or token is lost. */
export class Simulation {
  readonly machine: Machine;
  readonly budget: CacheBudget;
  readonly prefixes: PrefixCache<symbol>;
  readonly #order = new FairOrder<Queued>();
  readonly active: Active[] = [];
  /** Outcome of each job. */
  readonly ends = new Map<Job, "done" | "canceled" | "refused">();
  readonly #arrivals: Job[];
  /** Called at each start with the job and its index in the queue. */
  onStart: (started: Queued, index: number) => void = () => {};
  /** Called when no more jobs can start. */
  onAdmitted: () => void = () => {};
  /** Steps so far. */
  now = 0;

  /** Creates an empty simulation; `jobs` arrive at their steps. */
  constructor(machine: Machine, jobs: readonly Job[]) {
    this.machine = machine;
    this.prefixes = new PrefixCache(machine.snapshotTokens);
    this.budget = new CacheBudget(machine.tokens, machine.slots, this.prefixes);
    this.#arrivals = jobs.toSorted((a, b) => a.arrival - b.arrival);
  }

  /** True if jobs are left. */
  get busy(): boolean {
    return this.#arrivals.length + this.waiting.length + this.active.length > 0;
  }

  /** Waiting requests, the next first. */
  get waiting(): readonly Queued[] {
    const { order } = this.#order;
    for (const queued of order) queued.tag = this.#order.tagOf(queued);
    return order;
  }

  /** Running jobs, as input of a forecast. */
  get running(): Running[] {
    const { chunkLength } = this.machine;
    return this.active.map(({ queued, slots, lengths, newTokens }) => {
      const chunks = queued.job.prompts.map(({ length }, row) =>
        Math.ceil(Math.max(0, length - lengths[row]!) / chunkLength)
      );
      // The last chunk and the first token share a step.
      const steps = queued.job.newTokens - newTokens +
        Math.max(0, sum(chunks) - 1);
      return { ...queued, slots, steps };
    });
  }

  /** Count of jobs in prefill. */
  get prefilling(): number {
    return this.active.filter((active) => left(active) > 0).length;
  }

  /** Drops all later arrivals. */
  closeDoor(): void {
    this.#arrivals.length = 0;
  }

  /** Runs all jobs to their ends; each step must make progress. */
  run(): void {
    const steps = sum(
      this.#arrivals.map(({ prompts, newTokens }) =>
        newTokens + sum(prompts.map(({ length }) => length))
      ),
    );
    const last = this.#arrivals.at(-1)?.arrival ?? 0;
    while (this.busy) {
      this.step();
      ok(this.now <= last + steps + 1, "a step gets on with something");
    }
  }

  /** Runs one step of the engine. */
  step(): void {
    this.#arrive();
    this.#dropCanceled();
    this.#admit();
    this.onAdmitted();
    this.#prefill();
    this.#decode();
    this.#check();
    this.now++;
  }

  #arrive(): void {
    while (this.#arrivals[0] && this.#arrivals[0].arrival <= this.now) {
      const job = this.#arrivals.shift()!;
      const rows = job.prompts.map(({ length }) => length + job.maxNewTokens);
      if (this.budget.fitsAlone(rows)) {
        const { long, group } = job;
        const caller = `${job.caller}`;
        const queued = { job, rows, long, group, caller, passed: 0, tag: 0 };
        this.#order.add(queued, caller, sum(rows));
      } else this.#end(job, "refused");
    }
  }

  #dropCanceled(): void {
    const gone = ({ job }: Queued) => job.cancel <= this.now;
    for (const queued of this.waiting.filter(gone)) {
      this.#order.remove(queued);
      this.#end(queued.job, "canceled");
    }
    for (const active of this.active.filter(({ queued }) => gone(queued))) {
      this.#retire(active, "canceled");
    }
  }

  #admit(): void {
    const { fairness } = this.machine;
    const load = () => ({
      waiting: this.waiting,
      running: this.running,
      budget: this.budget,
    });
    let start;
    while ((start = nextStart(load(), fairness)) !== undefined) {
      const { index, slots, passed } = start;
      this.#reclaim(start);
      for (const other of passed) this.waiting[other]!.passed++;
      const queued = this.waiting[index]!;
      this.onStart(queued, index);
      this.#order.start(queued);
      for (const [row, slot] of slots.entries()) {
        this.budget.reserve(slot, queued.rows[row]!);
      }
      const lengths = slots.map(() => 0);
      this.active.push({ queued, slots, lengths, waited: 0, newTokens: 0 });
    }
  }

  #reclaim({ trim, evict }: { trim: readonly number[]; evict: number }): void {
    for (const slot of trim) this.budget.trim(slot);
    this.prefixes.evict(evict);
  }

  #prefill(): void {
    const due = this.active.filter((active) => left(active) > 0);
    const next = nextPrefill(
      due.map((active) => ({ remaining: left(active), waited: active.waited })),
      this.machine.maxWait,
    );
    for (const [i, active] of due.entries()) {
      active.waited = i === next ? 0 : active.waited + 1;
      if (i === next) this.#runChunk(active);
    }
  }

  #runChunk({ queued: { job }, lengths }: Active): void {
    const row = job.prompts.findIndex(({ length }, i) => lengths[i]! < length);
    const prompt = job.prompts[row]!;
    const boundaries = job.cut > 0 && job.cut < prompt.length ? [job.cut] : [];
    if (lengths[row] === 0) {
      lengths[row] = this.prefixes.longest(prompt, boundaries)?.length ?? 0;
    }
    const end = Math.min(
      lengths[row]! + this.machine.chunkLength,
      lengths[row]! < job.cut && boundaries.length > 0
        ? job.cut
        : prompt.length,
    );
    lengths[row] = end;
    if (boundaries.includes(end)) this.#keep(prompt.subarray(0, end));
  }

  #keep(prefix: Int32Array): void {
    if (this.prefixes.has(prefix)) return;
    const room = this.budget.reclaimForSnapshot(prefix.length);
    if (room === undefined) return;
    this.#reclaim(room);
    this.prefixes.insert(prefix, [], Symbol());
  }

  #decode(): void {
    for (const active of [...this.active]) {
      if (left(active) > 0) continue;
      if (active.newTokens < active.queued.job.newTokens) {
        active.newTokens++;
        active.lengths.forEach((_, row) => active.lengths[row]!++);
      }
      if (active.newTokens === active.queued.job.newTokens) {
        this.#retire(active, "done");
      }
    }
  }

  #retire(active: Active, end: "done" | "canceled"): void {
    this.active.splice(this.active.indexOf(active), 1);
    this.#order.remove(active.queued, sum(active.lengths));
    for (const [row, slot] of active.slots.entries()) {
      this.budget.release(slot, active.lengths[row]!);
    }
    this.#end(active.queued.job, end);
  }

  #end(job: Job, end: "done" | "canceled" | "refused"): void {
    ok(!this.ends.has(job), "a job ends once");
    this.ends.set(job, end);
  }

  #check(): void {
    const { budget } = this;
    ok(budget.tokensHeld <= budget.tokens, "the budget is kept");
    const taken = this.active.flatMap(({ slots }) => slots);
    strictEqual(new Set([...taken, ...budget.idle]).size, budget.slots);
    strictEqual(taken.length + budget.idle.length, budget.slots);
  }
}

/** Counts the prompt tokens that are left to run. */
function left({ queued, lengths, newTokens }: Active): number {
  return sum(
    queued.job.prompts.map(({ length }, row) =>
      Math.max(0, length + newTokens - lengths[row]!)
    ),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
