/**
 * The descriptions of the routes of `health.ts`.
 *
 * @module
 */

import {
  HealthAnswer,
  LiveAnswer,
  ReadyAnswer,
} from "../../schema/answers/server.ts";
import { describe, header, json } from "./describe.ts";

const RETRY_AFTER = {
  "Retry-After": header("Seconds.", "integer"),
};

/** The description of `/livez`. */
export const liveDescription = describe({
  id: "getLive",
  tag: "health",
  open: true,
  summary: "Liveness",
  answers: {
    200: { description: "The process is alive", content: json(LiveAnswer) },
  },
  problems: [],
});

/** The description of `/readyz`. */
export const readyDescription = describe({
  id: "getReady",
  tag: "health",
  open: true,
  summary: "Readiness",
  answers: {
    200: { description: "The server is ready", content: json(ReadyAnswer) },
    503: {
      description:
        "Models are loading or failed to load, or the server is shutting down",
      content: json(ReadyAnswer),
      headers: RETRY_AFTER,
    },
  },
  problems: [],
});

/** The description of `/ping`. */
export const pingDescription = describe({
  id: "getPing",
  tag: "health",
  open: true,
  summary: "Readiness in RunPod's format",
  answers: {
    200: { description: "Ready", content: json(ReadyAnswer) },
    204: { description: "Models are loading" },
    503: {
      description: "A model failed to load, or the server is shutting down",
      content: json(ReadyAnswer),
    },
  },
  problems: [],
});

/** The description of `/health`. */
export const healthDescription = describe({
  id: "getHealth",
  tag: "health",
  open: true,
  summary: "Detailed status",
  answers: {
    200: { description: "Ready", content: json(HealthAnswer) },
    503: {
      description:
        "Models are loading or failed to load, or the server is shutting down",
      content: json(HealthAnswer),
      headers: RETRY_AFTER,
    },
  },
  problems: [],
});

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
