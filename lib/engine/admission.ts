/**
 * The admission: decides which request starts next, and in which slots.
 *
 * First come, first served, with callers in turn (see {@linkcode FairOrder}),
 * except that:
 *
 * - Requests that fit pass one that waits for short requests (answers) to end,
 *   a bounded number of times.
 * - Short requests that fit always pass one that waits for a long request (a
 *   picture) to end, since most end earlier. Long ones pass no request that
 *   does not fit.
 * - Several long requests leave some slots and tokens to short ones. A single
 *   one takes all that it needs.
 * - Other requests pass one whose group already runs, a bounded number of
 *   times: eight pictures for one client do not delay all other clients.
 * - Other callers pass a request that waits for short ones to end, or for its
 *   group, only until they are ahead of its caller by the size of the request.
 *   Otherwise a caller of small requests, which fit into every gap, would
 *   receive many times the service of a caller whose requests need two slots.
 *
 * A pure function from waiting and running requests to one decision. A request
 * that can never fit is refused before it waits: see {@linkcode
 * CacheBudget.fitsAlone}.
 *
 * @module
 */

import type { CacheBudget, Reclaim } from "./cache_budget.ts";

/** The slots and tokens that a request needs. */
export interface Reservation {
  /** Maximum number of tokens of each row, prompt and answer together. */
  readonly rows: readonly number[];
  /** True if it runs for many steps, as a picture does. */
  readonly long: boolean;
  /** Identity of the group of requests that were submitted together. */
  readonly group: unknown;
}

/** A request in the queue. */
export interface Waiting extends Reservation {
  /** Number of times that others have passed it. */
  readonly passed: number;
  /** The caller of the request; the same for all by default. */
  readonly caller?: string;
  /** Service of its caller before it starts, in tokens; 0 by default. */
  readonly tag?: number;
}

/** The requests that wait and those that run. */
export interface Load {
  /**
   * Waiting requests in order of arrival, those of several callers mixed
   * fairly.
   */
  readonly waiting: readonly Waiting[];
  /** Running requests, in any order. */
  readonly running: readonly Reservation[];
  /** The budget, which holds the reservations of running requests. */
  readonly budget: CacheBudget;
}

/** The limits that prevent starvation. */
export interface Fairness {
  /** The number of times that others may pass a waiting request. */
  readonly maxPasses: number;
  /** Number of slots that several long requests leave to short ones. */
  readonly reservedSlots: number;
  /** Number of tokens that several long requests leave to short ones. */
  readonly reservedTokens: number;
}

/** The number of times that others may pass a waiting request. */
const MAX_PASSES = 16;
/**
 * The number of slots, and the share of the tokens, that several pictures leave
 * to answers.
 */
const RESERVED_SLOTS = 1;
const RESERVED_SHARE = 1 / 8;

/** Returns the fairness of an engine whose cache holds `cacheTokens`. */
export function fairnessWith(cacheTokens: number): Fairness {
  return {
    maxPasses: MAX_PASSES,
    reservedSlots: RESERVED_SLOTS,
    reservedTokens: Math.floor(cacheTokens * RESERVED_SHARE),
  };
}

/** The slots of a request, and the memory to reclaim for it. */
export interface SlotAssignment extends Reclaim {
  /** Slots, one for each row. */
  readonly slots: readonly number[];
}

/** A request that starts. */
export interface Start extends SlotAssignment {
  /** Index of the request among those that wait. */
  readonly index: number;
  /** Indices of the waiting requests that it passes. */
  readonly passed: readonly number[];
}

/**
 * The reason that a request waits: short requests, a long request, or its own
 * group.
 */
type Obstacle = "short" | "long" | "group";

/**
 * Returns the next request to start; undefined if all must wait.
 *
 * Trim, evict, reserve and count accordingly, then call again.
 */
export function nextStart(load: Load, fairness: Fairness): Start | undefined {
  const groups = new Set(load.running.map(({ group }) => group));
  return firstStart(load, fairness, groups) ??
    firstStart(load, fairness, new Set());
}

/** @param yielding Groups whose members let others pass. */
function firstStart(
  load: Load,
  fairness: Fairness,
  yielding: ReadonlySet<unknown>,
): Start | undefined {
  const ahead: { index: number; obstacle: Obstacle }[] = [];
  // By caller: the service up to which requests of others may start first.
  const leads = new Map<string | undefined, number>();
  // The obstacle of the first request that does not fit; it applies to all
  // later long requests.
  let barrier: Obstacle | undefined;
  for (const [index, reservation] of load.waiting.entries()) {
    const mayBePassed = reservation.passed < fairness.maxPasses;
    const blocked = leadsTooFar(reservation, leads)
      ? "short"
      : reservation.long
      ? barrier
      : undefined;
    const yields = mayBePassed && yielding.has(reservation.group);
    const assignment = blocked ??
      (yields ? "group" : assignSlots(reservation, load, fairness));
    if (typeof assignment === "object") {
      const passed = ahead
        .filter(({ obstacle }) => obstacle !== "long")
        .map(({ index }) => index);
      return { index, ...assignment, passed };
    }
    if (assignment === "short" && !mayBePassed) return undefined;
    if (assignment !== "group") barrier ??= assignment;
    ahead.push({ index, obstacle: assignment });
    if (assignment === "long") continue;
    const lead = (reservation.tag ?? 0) + sum(reservation.rows);
    leads.set(
      reservation.caller,
      Math.min(lead, leads.get(reservation.caller) ?? lead),
    );
  }
  return undefined;
}

/**
 * Returns true if `reservation` may not start before those of other callers.
 */
function leadsTooFar(
  { caller, tag = 0 }: Waiting,
  leads: ReadonlyMap<string | undefined, number>,
): boolean {
  for (const [other, lead] of leads) {
    if (other !== caller && tag > lead) return true;
  }
  return false;
}

function assignSlots(
  reservation: Reservation,
  { running, budget }: Load,
  fairness: Fairness,
): SlotAssignment | Obstacle {
  const long = running.filter((other) => other.long);
  if (!fitsWith(long, reservation, budget, fairness)) return "long";
  const slots = chooseSlots(reservation.rows.length, budget);
  if (slots === undefined) return "short";
  const reclaim = budget.reclaimForRows(reservation.rows, slots);
  return reclaim === undefined ? "short" : { slots, ...reclaim };
}

/** Returns true if `reservation` would fit if only `long` requests ran. */
function fitsWith(
  long: readonly Reservation[],
  reservation: Reservation,
  budget: CacheBudget,
  fairness: Fairness,
): boolean {
  const shared = reservation.long && long.length > 0;
  const slots = budget.slots - (shared ? fairness.reservedSlots : 0);
  const tokens = budget.tokens - (shared ? fairness.reservedTokens : 0);
  const rows = [reservation, ...long].flatMap(({ rows }) => rows);
  return rows.length <= slots && sum(rows) <= tokens;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Returns the lowest idle slots, since a step runs all rows up to the highest
 * in use; or adjacent ones if they are not higher, since their rows are
 * appended together.
 */
function chooseSlots(
  count: number,
  budget: CacheBudget,
): readonly number[] | undefined {
  const { idle } = budget;
  if (idle.length < count) return undefined;
  const lowest = idle.slice(0, count);
  const top = Math.max(budget.highestInUse, lowest.at(-1)!);
  const first = idle.find((slot, i) =>
    idle[i + count - 1] === slot + count - 1
  );
  if (first === undefined || first + count - 1 > top) return lowest;
  return lowest.map((_, i) => first + i);
}
