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
  summary: "Whether the process lives",
  answers: { 200: { description: "It does", content: json(LiveAnswer) } },
  problems: [],
});

/** The description of `/readyz`. */
export const readyDescription = describe({
  id: "getReady",
  tag: "health",
  summary: "Whether requests can be answered",
  answers: {
    200: { description: "They can", content: json(ReadyAnswer) },
    503: {
      description: "Models are loading or have failed to, or the server stops",
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
  summary: "The same, as RunPod asks it",
  answers: {
    200: { description: "Ready", content: json(ReadyAnswer) },
    204: { description: "Models are loading" },
    503: {
      description: "A model has failed, or the server stops",
      content: json(ReadyAnswer),
    },
  },
  problems: [],
});

/** The description of `/health`. */
export const healthDescription = describe({
  id: "getHealth",
  tag: "health",
  summary: "Where everything stands",
  answers: {
    200: { description: "Ready", content: json(HealthAnswer) },
    503: {
      description: "Models are loading or have failed to, or the server stops",
      content: json(HealthAnswer),
      headers: RETRY_AFTER,
    },
  },
  problems: [],
});
