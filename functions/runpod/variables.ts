/**
 * The environment variables that RunPod sets in the containers of a queue.
 *
 * @module
 */

import type { RunpodPlace } from "../../deploy/runpod/api.ts";
import type { Variable } from "../config/variable_parsers.ts";

const PING_MS = 10_000;

/** The variables, as `--help` lists them. */
export const RUNPOD_VARIABLES = {
  RUNPOD_WEBHOOK_GET_JOB: url(
    "URL to take jobs from; enables the queue worker",
    "none, the queue worker is disabled",
  ),
  RUNPOD_WEBHOOK_POST_OUTPUT: url("URL to send results of jobs to", "none"),
  RUNPOD_WEBHOOK_POST_STREAM: url(
    "URL to send partial results of jobs to",
    "none, partial results are not sent",
  ),
  RUNPOD_WEBHOOK_PING: url(
    "URL to send heartbeats to",
    "none, heartbeats are not sent",
  ),
  RUNPOD_PING_INTERVAL: {
    meaning: "interval between two heartbeats, in milliseconds",
    fallback: `${PING_MS}`,
    parse: milliseconds,
  },
  RUNPOD_AI_API_KEY: text("API key of the requests to RunPod", "none"),
  RUNPOD_POD_ID: text("id of this worker on RunPod", "a random UUID"),
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
      "RUNPOD_WEBHOOK_GET_JOB is set; set this URL for the results, too",
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

function url(meaning: string, fallback: string): Variable<string | undefined> {
  return {
    meaning,
    fallback,
    parse: (text) => {
      const scheme = text && URL.parse(text)?.protocol;
      if (text === undefined || /^https?:$/.test(scheme ?? "")) return text;
      throw new SyntaxError("expected an http or https URL, as RunPod sets it");
    },
  };
}

function text(meaning: string, fallback: string): Variable<string | undefined> {
  return { meaning, fallback, parse: (text) => text };
}

function milliseconds(text: string | undefined): number {
  if (text === undefined) return PING_MS;
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new SyntaxError("expected milliseconds from 1 to 99999999");
}
