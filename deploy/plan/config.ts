/**
 * The configuration of a plan, parsed strictly from JSON, since mistakes here
 * cost money. `deno task plan --help` describes it.
 *
 * @module
 */

import { Fields, PlanError } from "./fields.ts";
import type { Scaling } from "./fleet.ts";
import type { EngineSize } from "./virtual_decoder.ts";
import { costTable, type StepCosts } from "./step_cost.ts";
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

/** Most requests of a plan; more would be a load test. */
const MAX_ARRIVALS = 1_000_000;

/**
 * Parses a plan's configuration.
 *
 * @throws {PlanError} Naming the field at fault.
 */
export function parseConfig(value: unknown): PlanConfig {
  const fields = new Fields(value);
  const classes = classesIn(fields.object("classes"));
  const arrivals = arrivalsIn(fields.object("requests"), classes);
  const guesses = [...classes.values()]
    .some(({ tokensPerRun }) => tokensPerRun > 1);
  const engine = engineIn(fields.object("engine"), guesses);
  const coldStartMs = fields.optional(
    "cold_start_s",
    () => phasesIn(fields.object("cold_start_s")),
    new Map<string, number>(),
  );
  const scaling = scalingIn(fields.object("replicas"), coldStartMs);
  const config = {
    engine,
    arrivals,
    scaling,
    coldStartMs,
    retries: fields.optional("retries", () => fields.flag("retries"), true),
    price: fields.optional(
      "price",
      () => priceIn(fields.object("price")),
      undefined,
    ),
    target: fields.optional(
      "target",
      () => targetIn(fields.object("target")),
      undefined,
    ),
  };
  fields.end();
  for (const { kind } of arrivals) checkFits(kind, engine);
  return config;
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

function engineIn(fields: Fields, guesses: boolean): EngineSize {
  const slots = fields.whole("slots", { least: 2, most: 1024 });
  const chunkTokens = fields.whole("chunk_tokens", { least: 1 });
  const step = costTable(fields.object("step_ms"), slots);
  const prefill = costTable(fields.object("prefill_ms"), chunkTokens);
  const wide = fields.optional(
    "wide_ms",
    () => costTable(fields.object("wide_ms"), 2),
    [],
  );
  if (guesses && wide.length === 0) {
    throw new PlanError(
      `${fields.pointer}/wide_ms`,
      "is missing: a class has tokens_per_run above 1",
    );
  }
  const heldTokenMs = fields.optional(
    "step_ms_per_held_token",
    () => fields.number("step_ms_per_held_token", { least: 0 }),
    0,
  );
  const costs: StepCosts = { step, prefill, wide, heldTokenMs };
  const queueLimit = fields.whole("queue_limit", { least: 1 });
  const cacheTokens = fields.whole("cache_tokens", { least: 1 });
  fields.end();
  return { slots, queueLimit, cacheTokens, chunkTokens, costs };
}

function classesIn(fields: Fields): Map<string, RequestClass> {
  const classes = new Map(
    fields.names.map((name) => [name, classIn(name, fields.object(name))]),
  );
  fields.end();
  if (classes.size > 0) return classes;
  throw new PlanError(fields.pointer, "expected one or more");
}

function classIn(name: string, fields: Fields): RequestClass {
  const length = fields.whole("prompt_tokens", { least: 1 });
  const afterMs = SECOND * fields.optional(
    "after_s",
    () => fields.number("after_s", { least: 0 }),
    0,
  );
  const kind = fields.has("height")
    ? pictureIn(fields, length)
    : answerIn(fields, length);
  fields.end();
  return { name, afterMs, ...kind };
}

type Runs = Omit<RequestClass, "name" | "afterMs">;

function pictureIn(fields: Fields, length: number): Runs {
  const height = fields.whole("height", { least: 1 });
  const width = fields.whole("width", { least: 1 });
  const guided = fields.flag("guided");
  const tokensPerRun = fields.optional(
    "tokens_per_run",
    () => fields.number("tokens_per_run", { least: 1 }),
    1,
  );
  const { runs, newTokens } = pictureRuns(height, width);
  return {
    prompts: guided ? [length, length] : [length],
    sharesLast: guided,
    runs: Math.ceil(runs / tokensPerRun),
    newTokens,
    maxNewTokens: newTokens,
    tokensPerRun,
    long: true,
  };
}

function answerIn(fields: Fields, length: number): Runs {
  const said = fields.whole("new_tokens", { least: 1 });
  const most = fields.optional(
    "max_tokens",
    () => fields.whole("max_tokens", { least: said }),
    said,
  );
  // The last token is not fed.
  return {
    prompts: [length],
    sharesLast: false,
    runs: said - 1,
    newTokens: said - 1,
    maxNewTokens: most - 1,
    tokensPerRun: 1,
    long: false,
  };
}

function arrivalsIn(
  fields: Fields,
  classes: ReadonlyMap<string, RequestClass>,
): Arrival[] {
  const arrivals = fields.has("trace")
    ? traceIn(fields, classes)
    : poissonIn(fields, classes);
  fields.end();
  if (arrivals.length > 0) return arrivals;
  throw new PlanError(fields.pointer, "nobody comes: ask for longer");
}

function traceIn(
  fields: Fields,
  classes: ReadonlyMap<string, RequestClass>,
): Arrival[] {
  return fields.list("trace").map(({ item, pointer }) => {
    const one = new Fields(item, pointer);
    const atMs = SECOND * one.number("at_s", { least: 0 });
    const kind = classNamed(one.text("class"), classes, `${pointer}/class`);
    one.end();
    return { atMs, kind };
  }).sort((a, b) => a.atMs - b.atMs);
}

function poissonIn(
  fields: Fields,
  classes: ReadonlyMap<string, RequestClass>,
): Arrival[] {
  const rate = fields.number("per_second", { above: 0 });
  const seconds = fields.number("seconds", { above: 0 });
  const seed = fields.optional(
    "seed",
    () => fields.whole("seed", { least: 0 }),
    0,
  );
  if (rate * seconds > MAX_ARRIVALS) {
    throw new PlanError(
      `${fields.pointer}/seconds`,
      `expected at most ${MAX_ARRIVALS} requests, per_second times seconds`,
    );
  }
  const shares = fields.object("shares");
  const mix = shares.names.map((name): Mix => ({
    kind: classNamed(name, classes, `${shares.pointer}/${name}`),
    share: shares.number(name, { above: 0 }),
  }));
  shares.end();
  if (mix.length === 0) {
    throw new PlanError(shares.pointer, "expected one or more");
  }
  return poissonArrivals(mix, {
    ratePerMs: rate / SECOND,
    durationMs: SECOND * seconds,
    seed,
  });
}

function classNamed(
  name: string,
  classes: ReadonlyMap<string, RequestClass>,
  pointer: string,
): RequestClass {
  const kind = classes.get(name);
  if (kind !== undefined) return kind;
  const known = [...classes.keys()].join(", ");
  throw new PlanError(pointer, `expected one of the classes: ${known}`);
}

function phasesIn(fields: Fields): Map<string, number> {
  const phases = new Map(
    fields.names.map((name) => [
      name,
      SECOND * fields.number(name, { least: 0 }),
    ]),
  );
  fields.end();
  return phases;
}

function scalingIn(
  fields: Fields,
  coldStartMs: ReadonlyMap<string, number>,
): Scaling {
  const min = fields.whole("min", { least: 0, most: 1000 });
  const max = fields.whole("max", { least: Math.max(1, min), most: 1000 });
  const scales = max > min;
  const targetRequests = fields.optional(
    "target_requests",
    () => fields.number("target_requests", { above: 0 }),
    undefined,
  );
  if (scales && targetRequests === undefined) {
    throw new PlanError(
      `${fields.pointer}/target_requests`,
      "is missing: max is above min, so it is to be said when there are more",
    );
  }
  const downDelayMs = SECOND * fields.optional(
    "scale_down_delay_s",
    () => fields.number("scale_down_delay_s", { least: 0 }),
    0,
  );
  fields.end();
  return {
    min,
    max,
    targetRequests: targetRequests ?? 1,
    downDelayMs,
    coldStartMs: [...coldStartMs.values()].reduce((sum, ms) => sum + ms, 0),
  };
}

function priceIn(fields: Fields): Price {
  const price = {
    currency: fields.text("currency"),
    perGpuSecond: fields.number("per_gpu_second", { least: 0 }),
    gpus: fields.optional("gpus", () => fields.whole("gpus", { least: 1 }), 1),
  };
  fields.end();
  return price;
}

function targetIn(fields: Fields): Target {
  const of = fields.has("p95_queue_s") ? "queue" : "latency";
  const p95Ms = SECOND * fields.number(`p95_${of}_s`, { above: 0 });
  fields.end();
  return { of, p95Ms };
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
