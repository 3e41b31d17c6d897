/**
 * The start of a RunPod queue worker (`deploy/runpod`) on this server's models.
 *
 * @module
 */

import { type AppOptions, type AppServices, createApp } from "../app.ts";
import { RunpodApi, type RunpodPlace } from "../../deploy/runpod/api.ts";
import { startHeartbeat } from "../../deploy/runpod/heartbeat.ts";
import { JobInputError } from "../../deploy/runpod/job_input.ts";
import type { JobServer } from "../../deploy/runpod/job_server.ts";
import { RunpodWorker } from "../../deploy/runpod/worker.ts";
import { functionOf } from "../compat/replicate/prediction_input.ts";
import { InterruptedError, invalidField } from "../http/errors/errors.ts";
import { problemFrom } from "../http/errors/problem.ts";
import { randomSeed } from "../inference/generation_params.ts";
import { resultFields } from "../jobs/job.ts";
import { FUNCTION_NAMES } from "../schema/common.ts";
import { stateOf } from "../shutdown/interruption.ts";
import { delay } from "../../lib/async/delay.ts";
import { VERSION } from "../../lib/version.ts";

/**
 * Returns a worker of the environment's queue; undefined without a queue.
 *
 * @param rows Rows that the language model runs together.
 */
export function runpodWorker(
  place: RunpodPlace | undefined,
  services: AppServices,
  options: AppOptions,
  rows: number,
): RunpodWorker | undefined {
  if (place === undefined) return undefined;
  // RunPod has authenticated and limited its callers already. A stopping server
  // takes no more jobs; those that it has may finish.
  const open = {
    ...options,
    apiKeys: [],
    rateLimit: undefined,
    drain: undefined,
  };
  const app = createApp(services, open);
  const { pingUrl: url, pingMs: everyMs, key } = place;
  const program = `emu3-${VERSION}`;
  return new RunpodWorker({
    api: new RunpodApi(place),
    server: jobServer(
      async (request, call) => await app.fetch(request, { call }),
      options.publicUrl ?? "",
    ),
    startHeartbeat: () =>
      url === undefined
        ? undefined
        : startHeartbeat({ url, everyMs, key, program }),
    rows,
    isHealthy: () =>
      services.models().every(({ state }) => state.state !== "failed"),
    delay,
    onFailure: (error) => options.log.failure("runpod", error),
  });
}

/**
 * Returns this server as the worker sees it.
 *
 * @param pageBase `PUBLIC_URL`, for the pages of problems; empty if unset.
 */
export function jobServer(
  execute: JobServer["execute"],
  pageBase: string,
): JobServer {
  return {
    execute,
    functionNames: [...FUNCTION_NAMES, "score"],
    functionOf: (fields) => functionOf(fields, undefined),
    outputOf: (headers, body) => resultFields({ headers, body }),
    problemOf: (error, { id, path }) => {
      const reason = error instanceof JobInputError
        ? invalidField(error.pointer, error.detail)
        : error;
      const context = { requestId: id, path, pageBase, clientGone: false };
      return { ...problemFrom(reason, context) };
    },
    interruption: (inFlight) => {
      const state = stateOf(inFlight);
      return { error: new InterruptedError(undefined, state), state };
    },
    seed: randomSeed,
  };
}
