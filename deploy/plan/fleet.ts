/**
 * The simulation of several servers behind one load balancer, event by event.
 *
 * ```text
 * arrival ─▶ balancer ─▶ the least loaded server ─▶ … ─▶ done
 *             │  └── its queue is full: retry after Retry-After
 *             └ waits while no server is ready
 * ```
 *
 * Arrivals precede the ends of runs at the same time, as in the engine.
 *
 * @module
 */

import { type PlannedRequest, Server } from "./server.ts";
import type { EngineSize } from "./virtual_decoder.ts";
import { type Arrival, type RequestClass, reservedTokens } from "./workload.ts";

/** The scaling of servers with load. */
export interface Scaling {
  /** Minimum number of servers. */
  readonly min: number;
  /** Maximum number of servers. */
  readonly max: number;
  /** Waiting and running requests per desired server. */
  readonly targetRequests: number;
  /** Time for which a server must be superfluous before it stops. */
  readonly downDelayMs: number;
  /** Time from the demand for a server until it is ready. */
  readonly coldStartMs: number;
}

/** Options of the simulation. */
export interface FleetOptions {
  /** Engine of each server. */
  readonly engine: EngineSize;
  /** Scaling of the servers. */
  readonly scaling: Scaling;
  /** True if refused clients retry after the given time. */
  readonly retries: boolean;
  /**
   * True if each client gets the time at which a slot is free for it, as
   * servers report; false for the engine's own estimate, the next free slot.
   */
  readonly promises: boolean;
}

/** The outcome of a request. Times are in milliseconds. */
export interface Outcome {
  /** Time of its first arrival. */
  readonly atMs: number;
  /** Class of the request. */
  readonly kind: RequestClass;
  /** Number of refusals. */
  readonly refusals: number;
  /** Retry-After seconds of the last refusal. */
  readonly retryAfterSeconds: number | undefined;
  /** Request as it ran; undefined if it never did. */
  readonly ran: PlannedRequest | undefined;
}

/** The outcome of all requests. */
export interface FleetRun {
  /** Outcomes in order of arrival. */
  readonly outcomes: readonly Outcome[];
  /** Time at which the last request was done. */
  readonly endMs: number;
  /** Time of all servers, cold starts included. */
  readonly replicaMs: number;
  /** Time of all servers spent running. */
  readonly busyMs: number;
  /** Servers that were started while requests came. */
  readonly coldStarts: number;
  /** Maximum number of servers at once. */
  readonly mostReplicas: number;
}

/** A request on its way to a server. */
interface Visit {
  readonly arrival: Arrival;
  readonly index: number;
  readonly prompts: readonly Int32Array<ArrayBuffer>[];
  /** Time of its next arrival. */
  at: number;
  refusals: number;
  retryAfterSeconds: number | undefined;
  ran: PlannedRequest | undefined;
}

/**
 * Simulates `arrivals`, in order of time, until all are done.
 *
 * @throws {RangeError} When one of them can never run.
 */
export async function simulate(
  arrivals: readonly Arrival[],
  options: FleetOptions,
): Promise<FleetRun> {
  return await new Fleet(arrivals, options).run();
}

class Fleet {
  readonly #options: FleetOptions;
  readonly #visits: readonly Visit[];
  /** Future arrivals, the next one first. */
  readonly #coming: Visit[];
  /** Requests that wait because no server is ready. */
  readonly #door: Visit[] = [];
  /** Refusals whose Retry-After is being computed. */
  readonly #refusals: Promise<void>[] = [];
  readonly #servers = new Set<Server>();
  #now = 0;
  #replicaMs = 0;
  #busyMs = 0;
  #starts = 0;
  #most = 0;
  /** Time since which there has been a superfluous server. */
  #tooManySince: number | undefined;

  constructor(arrivals: readonly Arrival[], options: FleetOptions) {
    this.#options = options;
    this.#visits = visitsOf(arrivals);
    this.#coming = [...this.#visits];
    for (let i = 0; i < options.scaling.min; i++) this.#start(0);
    this.#starts = 0;
    const { slots, cacheTokens } = options.engine;
    const large = arrivals.find(({ kind }) =>
      kind.prompts.length > slots || reservedTokens(kind) > cacheTokens
    );
    if (large === undefined) return;
    throw new RangeError(
      `Cannot run "${large.kind.name}": it needs more slots or tokens than a server has`,
    );
  }

  async run(): Promise<FleetRun> {
    while (!this.#isDone) {
      this.#now = this.#nextTime();
      this.#arrive();
      this.#openDoor();
      for (const server of this.#servers) {
        if (server.dueAt <= this.#now) await server.advance(this.#now);
      }
      this.#scale();
      // A server without a cold start is already ready.
      this.#openDoor();
      for (const refusal of this.#refusals.splice(0)) await refusal;
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

  /** Number of requests that wait or run anywhere. */
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
    if (retryAfter === undefined) visit.ran = request;
    else this.#refusals.push(this.#refuse(visit, retryAfter));
  }

  async #refuse(visit: Visit, retryAfter: Promise<number>): Promise<void> {
    const seconds = await retryAfter;
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

  /**
   * Adjusts the servers to the load; superfluous ones stop when they are idle.
   */
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

/** Returns visits with prompts that differ as real ones would. */
function visitsOf(arrivals: readonly Arrival[]): Visit[] {
  const shared = new Map<RequestClass, Int32Array<ArrayBuffer>>();
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

/** Returns a prompt for an owner and a row; no two share a prefix. */
function promptOf(
  length: number,
  owner: number,
  row: number,
): Int32Array<ArrayBuffer> {
  const tokens = new Int32Array(length).fill(1);
  tokens[0] = 2 * owner + row;
  return tokens;
}
