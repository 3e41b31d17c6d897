/**
 * The configuration of a plan, from the fields of its JSON file.
 * `deno task plan --help` describes them.
 *
 * @module
 */

import type { Scaling } from "./fleet.ts";
import {
  parsePlanFields,
  PlanError,
  type PlanFields,
  pointerOf,
} from "./schema.ts";
import type { CostTable } from "./step_cost.ts";
import type { EngineSize } from "./virtual_decoder.ts";
import {
  type Arrival,
  type Mix,
  pictureRuns,
  poissonArrivals,
  type RequestClass,
  reservedTokens,
} from "./workload.ts";

/** The price of a server. */
export interface Price {
  /** Currency, as printed after amounts. */
  readonly currency: string;
  /** Price of a GPU, or of another billed unit, per second. */
  readonly perGpuSecond: number;
  /** Billed units of a server. */
  readonly gpus: number;
}

/** A target for 95 of 100 requests. */
export interface Target {
  /** Duration that it limits: the wait for slots, or the whole latency. */
  readonly of: "queue" | "latency";
  /** Upper limit in milliseconds. */
  readonly p95Ms: number;
}

/** The configuration of a plan. */
export interface PlanConfig {
  /** Engine of each server. */
  readonly engine: EngineSize;
  /** Requests and their arrival times. */
  readonly arrivals: readonly Arrival[];
  /** Scaling of the servers. */
  readonly scaling: Scaling;
  /** Phases of a cold start, from the demand for a server until it is ready. */
  readonly coldStartMs: ReadonlyMap<string, number>;
  /** True if refused clients retry after the given time. */
  readonly retries: boolean;
  /** Price of a server; undefined if unknown. */
  readonly price: Price | undefined;
  /** Target of the search; undefined for no search. */
  readonly target: Target | undefined;
}

const SECOND = 1000;

/** Maximum requests of a plan. */
const MAX_ARRIVALS = 1_000_000;

/**
 * Parses a plan's configuration.
 *
 * @throws {PlanError} Naming the field at fault.
 */
export function parseConfig(value: unknown): PlanConfig {
  const fields = parsePlanFields(value);
  const classes = new Map(
    Object.entries(fields.classes)
      .map(([name, kind]) => [name, classIn(name, kind)]),
  );
  const speculates = [...classes.values()]
    .some(({ tokensPerRun }) => tokensPerRun > 1);
  const engine = engineIn(fields.engine, speculates);
  const coldStartMs = new Map(
    Object.entries(fields.cold_start_s)
      .map(([name, seconds]) => [name, SECOND * seconds]),
  );
  const arrivals = arrivalsIn(fields.requests, classes);
  for (const { kind } of arrivals) checkFits(kind, engine);
  return {
    engine,
    arrivals,
    scaling: scalingIn(fields.replicas, coldStartMs),
    coldStartMs,
    retries: fields.retries,
    price: fields.price && {
      currency: fields.price.currency,
      perGpuSecond: fields.price.per_gpu_second,
      gpus: fields.price.gpus,
    },
    target: fields.target && targetIn(fields.target),
  };
}

/** Parses the text of a configuration file; throws as `parseConfig` does. */
export function parseConfigText(text: string): PlanConfig {
  try {
    return parseConfig(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PlanError("", `expected JSON: ${cause.message}`, { cause });
  }
}

function engineIn(
  fields: PlanFields["engine"],
  speculates: boolean,
): EngineSize {
  const { slots, chunk_tokens: chunkTokens, wide_ms: wide } = fields;
  checkReaches(fields.step_ms, slots, "step_ms");
  checkReaches(fields.prefill_ms, chunkTokens, "prefill_ms");
  if (wide.length > 0) checkReaches(wide, 2, "wide_ms");
  else if (speculates) {
    throw new PlanError(
      "/engine/wide_ms",
      "is missing: a class has tokens_per_run above 1",
    );
  }
  return {
    slots,
    queueLimit: fields.queue_limit,
    cacheTokens: fields.cache_tokens,
    chunkTokens,
    costs: {
      step: fields.step_ms,
      prefill: fields.prefill_ms,
      wide,
      heldTokenMs: fields.step_ms_per_held_token,
    },
  };
}

/** @param most Largest size that is looked up; the table must cover it. */
function checkReaches(table: CostTable, most: number, name: string): void {
  const largest = table.at(-1)?.size ?? 0;
  if (largest >= most) return;
  throw new PlanError(
    `/engine/${name}`,
    `expected a time for ${most}, the largest is for ${largest}`,
  );
}

type ClassFields = PlanFields["classes"][string];

function classIn(name: string, fields: ClassFields): RequestClass {
  const common = { name, afterMs: SECOND * fields.after_s };
  const length = fields.prompt_tokens;
  if ("height" in fields) {
    const { height, width, guided, tokens_per_run: tokensPerRun } = fields;
    const { runs, newTokens } = pictureRuns(height, width);
    return {
      ...common,
      prompts: guided ? [length, length] : [length],
      sharesLast: guided,
      runs: Math.ceil(runs / tokensPerRun),
      newTokens,
      maxNewTokens: newTokens,
      tokensPerRun,
      long: true,
    };
  }
  const { new_tokens: newTokens, max_tokens: most = newTokens } = fields;
  if (most < newTokens) {
    throw new PlanError(
      pointerOf(["classes", name, "max_tokens"]),
      `expected a whole number, ${newTokens} or more: new_tokens is ${newTokens}`,
    );
  }
  // The last token is not an input.
  return {
    ...common,
    prompts: [length],
    sharesLast: false,
    runs: newTokens - 1,
    newTokens: newTokens - 1,
    maxNewTokens: most - 1,
    tokensPerRun: 1,
    long: false,
  };
}

type Classes = ReadonlyMap<string, RequestClass>;

function arrivalsIn(
  fields: PlanFields["requests"],
  classes: Classes,
): Arrival[] {
  if ("trace" in fields) {
    return fields.trace.map(({ at_s: seconds, class: name }, i) => ({
      atMs: SECOND * seconds,
      kind: classNamed(name, classes, ["requests", "trace", i, "class"]),
    })).sort((a, b) => a.atMs - b.atMs);
  }
  const { per_second: rate, seconds, seed, shares } = fields;
  if (rate * seconds > MAX_ARRIVALS) {
    throw new PlanError(
      "/requests/seconds",
      `expected at most ${MAX_ARRIVALS} requests, per_second times seconds`,
    );
  }
  const mix = Object.entries(shares).map(([name, share]): Mix => ({
    kind: classNamed(name, classes, ["requests", "shares", name]),
    share,
  }));
  const arrivals = poissonArrivals(mix, {
    ratePerMs: rate / SECOND,
    durationMs: SECOND * seconds,
    seed,
  });
  if (arrivals.length > 0) return arrivals;
  throw new PlanError(
    "/requests",
    "no request arrives in this time; raise seconds or per_second",
  );
}

function classNamed(
  name: string,
  classes: Classes,
  keys: readonly (string | number)[],
): RequestClass {
  const kind = classes.get(name);
  if (kind !== undefined) return kind;
  const known = [...classes.keys()].join(", ");
  throw new PlanError(
    pointerOf(keys),
    `expected one of the classes: ${known}`,
  );
}

function scalingIn(
  fields: PlanFields["replicas"],
  coldStartMs: ReadonlyMap<string, number>,
): Scaling {
  const { min, max, target_requests: targetRequests } = fields;
  if (max < min) {
    throw new PlanError(
      "/replicas/max",
      `expected a whole number, ${min} or more: min is ${min}`,
    );
  }
  if (max > min && targetRequests === undefined) {
    throw new PlanError(
      "/replicas/target_requests",
      "is missing: max is above min, so servers need a load to scale by",
    );
  }
  return {
    min,
    max,
    targetRequests: targetRequests ?? 1,
    downDelayMs: SECOND * fields.scale_down_delay_s,
    coldStartMs: [...coldStartMs.values()].reduce((sum, ms) => sum + ms, 0),
  };
}

function targetIn(fields: NonNullable<PlanFields["target"]>): Target {
  return "p95_queue_s" in fields
    ? { of: "queue", p95Ms: SECOND * fields.p95_queue_s }
    : { of: "latency", p95Ms: SECOND * fields.p95_latency_s };
}

function checkFits(kind: RequestClass, { cacheTokens }: EngineSize): void {
  const needed = reservedTokens(kind);
  // Two slots, the fewest, suffice for every class.
  if (needed <= cacheTokens) return;
  throw new PlanError(
    "/engine/cache_tokens",
    `expected ${needed} or more: "${kind.name}" can never run with ${cacheTokens}`,
  );
}
