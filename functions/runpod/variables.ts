/**
 * What RunPod tells the containers of a queue: it sets these variables itself.
 *
 * @module
 */

import type { Variable } from "../config/variable_parsers.ts";

/** Where a worker finds its queue, and as whom it goes there. */
export interface RunpodPlace {
  /** Name of this worker. */
  readonly workerId: string;
  /** Shown with every call. */
  readonly key: string;
  /** Where jobs are handed out. */
  readonly takeUrl: string;
  /** Where answers go; has `$ID` for the job. */
  readonly outputUrl: string;
  /** Where parts of answers go; undefined for nowhere. */
  readonly streamUrl: string | undefined;
  /** Where signs of life go; undefined for nowhere. */
  readonly pingUrl: string | undefined;
  /** Between two signs of life, in milliseconds. */
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
 * Where the queue is; undefined where there is none.
 *
 * @throws {SyntaxError} When jobs come but there is nowhere to answer them.
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
    // Here it is the worker that $ID stands for.
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
