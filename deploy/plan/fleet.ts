/**
 * Several servers behind one door, from event to event.
 *
 * ```text
 * arrival ─▶ door ─▶ the server with the least to do ─▶ … ─▶ done
 *             │  └── its queue is full: come again after Retry-After
 *             └ waits while no server is ready
 * ```
 *
 * At the same time arrivals come before runs end, as the engine sees them.
 *
 * @module
 */

import { type EngineSize, type PlannedRequest, Replica } from "./replica.ts";
import { Server } from "./server.ts";
import type { Arrival, RequestClass } from "./workload.ts";

/** How many servers there are, and when there are more. */
export interface Scaling {
  /** Servers that there always are. */
  readonly min: number;
  /** Servers that there are at most. */
  readonly max: number;
  /** Requests that wait or run, for each server that there is to be. */
  readonly targetRequests: number;
  /** How long one must have been too many before it goes. */
  readonly downDelayMs: number;
  /** From the wish for a server until it takes requests. */
  readonly coldStartMs: number;
}

/** What is simulated. */
export interface FleetOptions {
  /** Of each server. */
  readonly engine: EngineSize;
  /** How many there are. */
  readonly scaling: Scaling;
  /** Whether who is refused comes again when told to. */
  readonly retries: boolean;
  /**
   * Whether each is told when a place is free for them, as servers do; false for
   * what the engine alone would tell, when the next place is free.
   */
  readonly promises: boolean;
}

/** What became of a request. Times are in milliseconds. */
export interface Outcome {
  /** When it first came. */
  readonly atMs: number;
  /** What was asked. */
  readonly kind: RequestClass;
  /** How often it was refused. */
  readonly refusals: number;
  /** Seconds that it was told at the last refusal. */
  readonly retryAfterSeconds: number | undefined;
  /** Where it was at work; undefined for one that never was. */
  readonly ran: PlannedRequest | undefined;
}

/** What became of all. */
export interface FleetRun {
  /** In the order in which they came. */
  readonly outcomes: readonly Outcome[];
  /** When the last was done. */
  readonly endMs: number;
  /** Time of all servers, cold starts included. */
  readonly replicaMs: number;
  /** Of it, running. */
  readonly busyMs: number;
  /** Servers that were started while requests came. */
  readonly coldStarts: number;
  /** Servers at once, at most. */
  readonly mostReplicas: number;
}

/** A request on its way. */
interface Visit {
  readonly arrival: Arrival;
  readonly index: number;
  readonly prompts: readonly Int32Array[];
  /** When it comes, or comes again. */
  at: number;
  refusals: number;
  retryAfterSeconds: number | undefined;
  ran: PlannedRequest | undefined;
}

/**
 * Lets `arrivals` come, in order of time, and all of them be done.
 *
 * @throws {RangeError} When one of them can never run.
 */
export function simulate(
  arrivals: readonly Arrival[],
  options: FleetOptions,
): FleetRun {
  return new Fleet(arrivals, options).run();
}

class Fleet {
  readonly #options: FleetOptions;
  readonly #visits: readonly Visit[];
  /** To come, the next one first. */
  readonly #coming: Visit[];
  /** At the door, since no server is ready. */
  readonly #door: Visit[] = [];
  readonly #servers = new Set<Server>();
  #now = 0;
  #replicaMs = 0;
  #busyMs = 0;
  #starts = 0;
  #most = 0;
  /** Since when there has been a server too many. */
  #tooManySince: number | undefined;

  constructor(arrivals: readonly Arrival[], options: FleetOptions) {
    this.#options = options;
    this.#visits = visitsOf(arrivals);
    this.#coming = [...this.#visits];
    for (let i = 0; i < options.scaling.min; i++) this.#start(0);
    this.#starts = 0;
    const probe = new Replica(options.engine);
    const large = arrivals.find(({ kind }) => !probe.fits(kind));
    if (large === undefined) return;
    throw new RangeError(
      `Cannot run "${large.kind.name}": it needs more slots or tokens than a server has`,
    );
  }

  run(): FleetRun {
    while (!this.#isDone) {
      this.#now = this.#nextTime();
      this.#arrive();
      this.#openDoor();
      for (const server of this.#servers) server.advance(this.#now);
      this.#scale();
      // One that starts in no time is ready already.
      this.#openDoor();
    }
    for (const server of [...this.#servers]) this.#stop(server);
    return {
      outcomes: this.#visits.map((
        { arrival, refusals, retryAfterSeconds, ran },
      ) => ({ ...arrival, refusals, retryAfterSeconds, ran })),
      endMs: this.#now,
      replicaMs: this.#replicaMs,
      busyMs: this.#busyMs,
      coldStarts: this.#starts,
      mostReplicas: this.#most,
    };
  }

  get #isDone(): boolean {
    return this.#coming.length === 0 && this.#inSystem === 0;
  }

  /** Requests that wait or run, wherever. */
  get #inSystem(): number {
    return [...this.#servers]
      .reduce((sum, { load }) => sum + load, this.#door.length);
  }

  #nextTime(): number {
    const { downDelayMs } = this.#options.scaling;
    const times = [...this.#servers].flatMap(({ readyAt, dueAt }) => [
      dueAt,
      readyAt > this.#now ? readyAt : Infinity,
    ]);
    const since = this.#tooManySince;
    const down = since === undefined ? Infinity : since + downDelayMs;
    return Math.min(
      ...times,
      this.#coming[0]?.at ?? Infinity,
      down > this.#now ? down : Infinity,
    );
  }

  #arrive(): void {
    while (this.#coming[0] !== undefined && this.#coming[0].at <= this.#now) {
      this.#admit(this.#coming.shift()!);
    }
  }

  #admit(visit: Visit): void {
    const ready = [...this.#servers]
      .filter(({ readyAt }) => readyAt <= this.#now);
    const [first, ...others] = ready;
    if (first === undefined) {
      this.#door.push(visit);
      return;
    }
    const server = others.reduce(
      (a, b) => b.load < a.load ? b : a,
      first,
    );
    const request: PlannedRequest = {
      kind: visit.arrival.kind,
      prompts: visit.prompts,
      startedAt: 0,
      firstAt: 0,
      finishedAt: 0,
    };
    const retryAfter = server.offer(request, this.#now);
    if (retryAfter !== undefined) return this.#refuse(visit, retryAfter);
    visit.ran = request;
  }

  #refuse(visit: Visit, seconds: number): void {
    visit.refusals++;
    visit.retryAfterSeconds = seconds;
    if (!this.#options.retries) return;
    visit.at = this.#now + 1000 * seconds;
    const next = this.#coming.findIndex(({ at }) => at > visit.at);
    this.#coming.splice(next === -1 ? this.#coming.length : next, 0, visit);
  }

  #openDoor(): void {
    const isReady = [...this.#servers]
      .some(({ readyAt }) => readyAt <= this.#now);
    if (!isReady) return;
    for (const visit of this.#door.splice(0)) this.#admit(visit);
  }

  /** As many servers as requests ask for; those to spare go when they idle. */
  #scale(): void {
    const { min, max, targetRequests, downDelayMs, coldStartMs } =
      this.#options.scaling;
    const wanted = Math.ceil(this.#inSystem / targetRequests);
    const desired = Math.min(max, Math.max(min, wanted));
    while (this.#servers.size < desired) this.#start(coldStartMs);
    if (this.#servers.size <= desired) {
      this.#tooManySince = undefined;
      return;
    }
    this.#tooManySince ??= this.#now;
    if (this.#now < this.#tooManySince + downDelayMs) return;
    for (const server of [...this.#servers].reverse()) {
      if (this.#servers.size <= desired) break;
      const idle = server.load === 0 && server.readyAt <= this.#now;
      if (idle) this.#stop(server);
    }
  }

  #start(coldStartMs: number): void {
    const { engine, promises } = this.#options;
    const startedAt = this.#now;
    const readyAt = startedAt + coldStartMs;
    this.#servers.add(new Server(engine, { promises, startedAt, readyAt }));
    this.#starts++;
    this.#most = Math.max(this.#most, this.#servers.size);
  }

  #stop(server: Server): void {
    this.#servers.delete(server);
    this.#replicaMs += this.#now - server.startedAt;
    this.#busyMs += server.busyMs;
  }
}

/** With prompts that differ where real ones would. */
function visitsOf(arrivals: readonly Arrival[]): Visit[] {
  const shared = new Map<RequestClass, Int32Array>();
  return arrivals.map((arrival, index) => {
    const { kind } = arrival;
    const prompts = kind.prompts.map((length, row) => {
      const last = row === kind.prompts.length - 1;
      if (!last || !kind.sharesLast) return promptOf(length, index, row);
      const known = shared.get(kind) ?? promptOf(length, -1 - shared.size, row);
      shared.set(kind, known);
      return known;
    });
    return {
      arrival,
      index,
      prompts,
      at: arrival.atMs,
      refusals: 0,
      retryAfterSeconds: undefined,
      ran: undefined,
    };
  });
}

/** Whose, and which: no two that begin alike. */
function promptOf(length: number, owner: number, row: number): Int32Array {
  const tokens = new Int32Array(length).fill(1);
  tokens[0] = 2 * owner + row;
  return tokens;
}
