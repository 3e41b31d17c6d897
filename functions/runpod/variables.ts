/**
 * The environment variables of a queue's containers, which RunPod sets itself.
 *
 * @module
 */

import type { Variable } from "../config/variable_parsers.ts";

/** The URLs of a queue, and the worker's credentials. */
export interface RunpodPlace {
  /** Id of this worker. */
  readonly workerId: string;
  /** API key of every call. */
  readonly key: string;
  /** URL that jobs are taken from. */
  readonly takeUrl: string;
  /** URL of answers, with `$ID` for the job. */
  readonly outputUrl: string;
  /** URL of answers' parts; undefined for none. */
  readonly streamUrl: string | undefined;
  /** URL of pings; undefined for none. */
  readonly pingUrl: string | undefined;
  /** Interval between two pings, in milliseconds. */
  readonly pingMs: number;
}

const PING_MS = 10_000;

/** The variables, as `--help` lists them. */
export const RUNPOD_VARIABLES = {
  RUNPOD_WEBHOOK_GET_JOB: url(
    "where RunPod hands out jobs; when set, this server takes them",
    "none are taken",
  ),
  RUNPOD_WEBHOOK_POST_OUTPUT: url("where RunPod takes answers of jobs", "none"),
  RUNPOD_WEBHOOK_POST_STREAM: url(
    "where RunPod takes parts of answers",
    "none are sent",
  ),
  RUNPOD_WEBHOOK_PING: url(
    "where RunPod takes signs of life",
    "none are sent",
  ),
  RUNPOD_PING_INTERVAL: {
    meaning: "milliseconds between two signs of life",
    unset: `${PING_MS}`,
    parse: milliseconds,
  },
  RUNPOD_AI_API_KEY: text("key that RunPod is shown", "none"),
  RUNPOD_POD_ID: text("name of this worker on RunPod", "a random one"),
} as const satisfies Record<string, Variable<unknown>>;

/** Values of the variables. */
type RunpodValues = {
  readonly [K in keyof typeof RUNPOD_VARIABLES]: ReturnType<
    typeof RUNPOD_VARIABLES[K]["parse"]
  >;
};

/**
 * Returns the place of the queue; undefined without one.
 *
 * @throws {SyntaxError} If jobs come but answers have no URL.
 */
export function runpodPlace(values: RunpodValues): RunpodPlace | undefined {
  const take = values.RUNPOD_WEBHOOK_GET_JOB;
  if (take === undefined) return undefined;
  const output = values.RUNPOD_WEBHOOK_POST_OUTPUT;
  if (output === undefined) {
    throw new SyntaxError(
      "RUNPOD_WEBHOOK_GET_JOB is set, so answers need a place as well",
    );
  }
  const workerId = values.RUNPOD_POD_ID ?? crypto.randomUUID();
  const named = (template: string) =>
    template.replaceAll("$RUNPOD_POD_ID", encodeURIComponent(workerId));
  const stream = values.RUNPOD_WEBHOOK_POST_STREAM;
  const ping = values.RUNPOD_WEBHOOK_PING;
  return {
    workerId,
    key: values.RUNPOD_AI_API_KEY ?? "",
    // In this variable $ID stands for the worker.
    takeUrl: named(take).replaceAll("$ID", encodeURIComponent(workerId)),
    outputUrl: named(output),
    streamUrl: stream && named(stream),
    pingUrl: ping && named(ping),
    pingMs: values.RUNPOD_PING_INTERVAL,
  };
}

function url(meaning: string, unset: string): Variable<string | undefined> {
  return {
    meaning,
    unset,
    parse: (text) => {
      const scheme = text && URL.parse(text)?.protocol;
      if (text === undefined || /^https?:$/.test(scheme ?? "")) return text;
      throw new SyntaxError("expected a URL, as RunPod sets it");
    },
  };
}

function text(meaning: string, unset: string): Variable<string | undefined> {
  return { meaning, unset, parse: (text) => text };
}

function milliseconds(text: string | undefined): number {
  if (text === undefined) return PING_MS;
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new SyntaxError("expected milliseconds, 1 or more");
}
