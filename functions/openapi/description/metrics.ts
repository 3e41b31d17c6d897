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
  summary: "Prometheus metrics",
  answers: {
    200: {
      description: "Metrics in the Prometheus text format",
      content: { "text/plain": { schema: { type: "string" } } },
    },
  },
  problems: [],
});
