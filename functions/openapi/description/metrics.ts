/**
 * The description of `GET /metrics`.
 *
 * @module
 */

import { describe } from "./describe.ts";

/** The description of the route. */
export const metricsDescription = describe({
  id: "getMetrics",
  tag: "models",
  summary: "Counts and durations, for Prometheus",
  answers: {
    200: {
      description: "Metrics in Prometheus' text format",
      content: { "text/plain": { schema: { type: "string" } } },
    },
  },
  problems: [],
});
