/**
 * The schema of a plan's JSON file. It is strict: every fault is reported with
 * its JSON pointer and what is expected.
 *
 * @module
 */

import * as v from "valibot";
import type { CostTable } from "./step_cost.ts";

/** The error thrown for an invalid configuration. */
export class PlanError extends Error {
  /** Creates an error with the fault. */
  constructor(
    /** Location of the fault, as a JSON pointer. */
    readonly pointer: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot plan: ${pointer || "the file"}: ${reason}`, options);
    this.name = "PlanError";
  }
}

/** Bounds of a number. */
interface Bounds {
  readonly least?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
  readonly most?: number;
}

function number({ least, above, most }: Bounds, kind = "a number") {
  const whole = kind === "a whole number";
  const bounds = [
    ...least === undefined ? [] : [`${least} or more`],
    ...above === undefined ? [] : [`more than ${above}`],
    ...most === undefined ? [] : [`${most} or less`],
  ];
  return v.custom<number>(
    (value) =>
      typeof value === "number" &&
      (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
      value >= (least ?? -Infinity) && value > (above ?? -Infinity) &&
      value <= (most ?? Infinity),
    `expected ${[kind, ...bounds].join(", ")}`,
  );
}

function count(least: number, most?: number) {
  const bounds = most === undefined ? { least } : { least, most };
  return number(bounds, "a whole number");
}

const anyObject = v.custom<Record<string, unknown>>(
  (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value),
  "expected an object",
);

/** Returns the schema of an object with these fields and no others. */
function object<const E extends v.ObjectEntries>(entries: E) {
  const names = Object.keys(entries).join(", ");
  return v.pipe(
    anyObject,
    v.strictObject(
      entries,
      ({ expected }) =>
        expected === "never" ? `unknown, expected ${names}` : "is missing",
    ),
  );
}

/** Returns the schema of an object of values by names that the file chooses. */
function named<const S extends v.GenericSchema>(value: S) {
  return v.pipe(anyObject, v.record(v.string(), value));
}

const filledObject = v.pipe(
  anyObject,
  v.check((values) => Object.keys(values).length > 0, "expected one or more"),
);

/** Returns the schema of {@linkcode named} values, one or more. */
function someNamed<const S extends v.GenericSchema>(value: S) {
  return v.pipe(filledObject, v.record(v.string(), value));
}

const flag = v.boolean("expected true or false");
const text = v.pipe(v.string("expected text"), v.nonEmpty("expected text"));
const positive = number({ above: 0 });
const duration = number({ least: 0 });

/** Measured durations such as `{"2": 24.9, "16": 61}`, by ascending size. */
const costTable = v.pipe(
  anyObject,
  v.record(
    v.pipe(
      v.string(),
      v.regex(/^[1-9]\d{0,6}$/, "expected names that are whole numbers"),
    ),
    positive,
  ),
  v.transform((table): CostTable =>
    Object.entries(table)
      .map(([name, milliseconds]) => ({ size: Number(name), milliseconds }))
      .sort((a, b) => a.size - b.size)
  ),
);

const engine = object({
  "slots": count(2, 1024),
  "queue_limit": count(1),
  "cache_tokens": count(1),
  "chunk_tokens": count(1),
  "step_ms": costTable,
  "prefill_ms": costTable,
  "wide_ms": v.optional(costTable, {}),
  "step_ms_per_held_token": v.optional(number({ least: 0 }), 0),
});

const shared = {
  "prompt_tokens": count(1),
  "after_s": v.optional(duration, 0),
};

const picture = object({
  ...shared,
  "height": count(1),
  "width": count(1),
  "guided": flag,
  "tokens_per_run": v.optional(number({ least: 1 }), 1),
});

const answer = object({
  ...shared,
  "new_tokens": count(1),
  "max_tokens": v.optional(count(1)),
});

const trace = object({
  "trace": v.pipe(
    v.array(
      object({ "at_s": duration, "class": text }),
      "expected a list of one or more",
    ),
    v.nonEmpty("expected a list of one or more"),
  ),
});

const random = object({
  "per_second": positive,
  "seconds": positive,
  "seed": v.optional(count(0), 0),
  "shares": someNamed(positive),
});

const replicas = object({
  "min": count(0, 1000),
  "max": count(1, 1000),
  "target_requests": v.optional(positive),
  "scale_down_delay_s": v.optional(duration, 0),
});

const price = object({
  "currency": text,
  "per_gpu_second": number({ least: 0 }),
  "gpus": v.optional(count(1), 1),
});

const queueTarget = object({ "p95_queue_s": positive });
const latencyTarget = object({ "p95_latency_s": positive });

/** Returns true if `value` is an object with the field `name`. */
function has(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && name in value;
}

const plan = object({
  "classes": someNamed(
    v.lazy((value) => has(value, "height") ? picture : answer),
  ),
  "requests": v.lazy((value) => has(value, "trace") ? trace : random),
  "engine": engine,
  "replicas": replicas,
  "cold_start_s": v.optional(named(duration), {}),
  "retries": v.optional(flag, true),
  "price": v.optional(price),
  "target": v.optional(
    v.lazy((value) => has(value, "p95_queue_s") ? queueTarget : latencyTarget),
  ),
});

/**
 * The fields of a plan, as the file has them.
 *
 * @internal
 */
export type PlanFields = v.InferOutput<typeof plan>;

/**
 * Parses the fields of a plan, each alone.
 *
 * @throws {PlanError} Naming the first field at fault.
 * @internal
 */
export function parsePlanFields(value: unknown): PlanFields {
  const result = v.safeParse(plan, value, {
    abortEarly: true,
    abortPipeEarly: true,
  });
  if (result.success) return result.output;
  const [{ path = [], message }] = result.issues;
  throw new PlanError(pointerOf(path.map(({ key }) => key)), message);
}

/** Returns the JSON pointer (RFC 6901) of the field at `keys`. */
export function pointerOf(keys: readonly unknown[]): string {
  const escaped = keys.map((key) =>
    String(key).replaceAll("~", "~0").replaceAll("/", "~1")
  );
  return escaped.map((key) => `/${key}`).join("");
}
