/**
 * The admission: decides which request starts next, and in which slots.
 *
 * First come, first served, where callers take turns (see
 * {@linkcode FairOrder}), but:
 *
 * - Who waits until short requests (answers) end is passed by those that fit, a
 *   bounded number of times; after that by nobody.
 * - Who waits until a long one (a picture) ends is passed by all short ones that
 *   fit: most are gone before it. Long ones pass nobody who does not fit.
 * - Several long ones leave some slots and tokens to short ones. A lone one
 *   takes all it needs.
 * - Who belongs to a group that runs already lets others pass, a bounded number
 *   of times: eight pictures for one client do not hold up everybody else.
 * - Who waits for short ones to end, or yields, is passed by other callers only
 *   until these are ahead of its own caller by what it asks for. Otherwise a
 *   caller of small requests, which fit into every gap, would get many times the
 *   service of one whose requests need two slots.
 *
 * Pure: what waits and what runs go in, one decision comes out. Who can never
 * fit is refused before it waits: see {@linkcode CacheBudget.fitsAlone}.
 *
 * @module
 */

import type { CacheBudget, Reclaim } from "./cache_budget.ts";

/** What a request asks for. */
export interface Reservation {
  /** Tokens that each row may need, prompt and answer together. */
  readonly rows: readonly number[];
  /** Whether it runs for many steps, as a picture does. */
  readonly long: boolean;
  /** The same, by identity, for requests that were asked for together. */
  readonly group: unknown;
}

/** A request in the queue. */
export interface Waiting extends Reservation {
  /** How often others have passed it. */
  readonly passed: number;
  /** On whose behalf; the same for all when left out. */
  readonly caller?: string;
  /** Service of its caller before it starts, in tokens; 0 when left out. */
  readonly tag?: number;
}

/** All that wants to run. */
export interface Load {
  /** In order of arrival, that of several callers mixed fairly. */
  readonly waiting: readonly Waiting[];
  /** In any order. */
  readonly running: readonly Reservation[];
  /** Holds what those that run have reserved. */
  readonly budget: CacheBudget;
}

/** What keeps requests from starving each other. */
export interface Fairness {
  /** How often others may pass one who waits. */
  readonly maxPasses: number;
  /** Slots that several long requests leave to short ones. */
  readonly keptSlots: number;
  /** Tokens that several long requests leave to short ones. */
  readonly keptTokens: number;
}

/** How often others may pass one who waits. */
const MAX_PASSES = 16;
/** Slots, and of the tokens the part, that several pictures leave to answers. */
const KEPT_SLOTS = 1;
const KEPT_SHARE = 1 / 8;

/** The fairness of an engine whose cache holds so many tokens. */
export function fairnessWith(cacheTokens: number): Fairness {
  return {
    maxPasses: MAX_PASSES,
    keptSlots: KEPT_SLOTS,
    keptTokens: Math.floor(cacheTokens * KEPT_SHARE),
  };
}

/** Where a request runs, and what is to be given back for it. */
export interface Place extends Reclaim {
  /** One a row. */
  readonly slots: readonly number[];
}

/** A request that starts. */
export interface Start extends Place {
  /** Which of those that wait. */
  readonly index: number;
  /** Which of those that wait are passed by it. */
  readonly passed: readonly number[];
}

/** Why a request waits: for short ones, for a long one, or out of courtesy. */
type Obstacle = "short" | "long" | "group";

/**
 * The next request to start; undefined when all must wait.
 *
 * Trim, evict, reserve and count as it says, then ask again.
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
  // By caller, up to which service others may start before its requests.
  const leads = new Map<string | undefined, number>();
  // What the first who does not fit waits for, and with it all long ones behind.
  let barrier: Obstacle | undefined;
  for (const [index, claim] of load.waiting.entries()) {
    const mayBePassed = claim.passed < fairness.maxPasses;
    const held = leadsTooFar(claim, leads)
      ? "short"
      : claim.long
      ? barrier
      : undefined;
    const yields = mayBePassed && yielding.has(claim.group);
    const place = held ??
      (yields ? "group" : findPlace(claim, load, fairness));
    if (typeof place === "object") {
      const passed = ahead
        .filter(({ obstacle }) => obstacle !== "long")
        .map(({ index }) => index);
      return { index, ...place, passed };
    }
    if (place === "short" && !mayBePassed) return undefined;
    if (place !== "group") barrier ??= place;
    ahead.push({ index, obstacle: place });
    if (place === "long") continue;
    const lead = (claim.tag ?? 0) + sum(claim.rows);
    leads.set(claim.caller, Math.min(lead, leads.get(claim.caller) ?? lead));
  }
  return undefined;
}

/** Returns whether `claim` may not start before those of other callers. */
function leadsTooFar(
  { caller, tag = 0 }: Waiting,
  leads: ReadonlyMap<string | undefined, number>,
): boolean {
  for (const [other, lead] of leads) {
    if (other !== caller && tag > lead) return true;
  }
  return false;
}

function findPlace(
  claim: Reservation,
  { running, budget }: Load,
  fairness: Fairness,
): Place | Obstacle {
  const long = running.filter((other) => other.long);
  if (!fitsBeside(long, claim, budget, fairness)) return "long";
  const slots = chooseSlots(claim.rows.length, budget);
  if (slots === undefined) return "short";
  const room = budget.roomForRows(claim.rows, slots);
  return room === undefined ? "short" : { slots, ...room };
}

/** Whether `claim` would fit if nothing but `long` ones ran. */
function fitsBeside(
  long: readonly Reservation[],
  claim: Reservation,
  budget: CacheBudget,
  fairness: Fairness,
): boolean {
  const shared = claim.long && long.length > 0;
  const slots = budget.slots - (shared ? fairness.keptSlots : 0);
  const tokens = budget.tokens - (shared ? fairness.keptTokens : 0);
  const rows = [claim, ...long].flatMap(({ rows }) => rows);
  return rows.length <= slots && sum(rows) <= tokens;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * The lowest idle slots, since a step runs all rows up to the highest in use.
 * Neighbors instead, if that costs no higher row: they are fed together.
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
