/**
 * The start of a queue worker on this server's models.
 *
 * @module
 */

import { type AppOptions, type AppServices, createApp } from "../app.ts";
import { delay } from "../../lib/async/delay.ts";
import { randomSeed } from "../inference/generation_params.ts";
import { VERSION } from "../../lib/version.ts";
import { RunpodApi } from "./api.ts";
import { startHeartbeat } from "./heartbeat.ts";
import type { RunpodPlace } from "./variables.ts";
import { RunpodWorker } from "./worker.ts";

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
    execute: async (request, call) => await app.fetch(request, { call }),
    startHeartbeat: () =>
      url === undefined
        ? undefined
        : startHeartbeat({ url, everyMs, key, program }),
    rows,
    isHealthy: () =>
      services.models().every(({ state }) => state.state !== "failed"),
    delay: delay,
    seed: randomSeed,
    pageBase: options.publicUrl ?? "",
    onFailure: (error) => options.log.failure("runpod", error),
  });
}
