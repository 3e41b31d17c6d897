/**
 * The environment variables of the HTTP server: addresses, ports, functions
 * and times.
 *
 * @module
 */

import { FUNCTION_NAMES } from "../schema/common.ts";
import {
  functions,
  port,
  publicUrl,
  seconds,
  type Variable,
} from "./variable_parsers.ts";

/** The variables, in the order that `--help` lists them. */
export const SERVING_VARIABLES = {
  HOST: {
    meaning: "address to listen on; 0.0.0.0 accepts other machines",
    fallback: "127.0.0.1, this machine only",
    parse: (text) => text ?? "127.0.0.1",
  },
  PORT: port(
    "port to listen on; 0 picks a free one",
    "AIP_HTTP_PORT if set, else 8080",
  ),
  AIP_HTTP_PORT: port(
    "port as Vertex AI sets it; PORT takes precedence",
    "8080",
  ),
  PORT_HEALTH: port("second port that serves health checks only", "none"),
  PUBLIC_URL: {
    meaning:
      "base URL that clients reach this server at, for URLs in responses",
    fallback: "the scheme and host of each request",
    parse: publicUrl,
  },
  FUNCTIONS: {
    meaning:
      "functions to serve, separated by commas; only the models they need are loaded",
    fallback: `all: ${FUNCTION_NAMES.join(",")}`,
    parse: functions,
  },
  REQUEST_TIMEOUT_S: {
    meaning: "timeout of a request, in seconds",
    fallback: "no timeout",
    parse: seconds,
  },
  SHUTDOWN_GRACE_S: {
    meaning:
      "seconds that running requests get to finish after SIGTERM or SIGINT",
    fallback: "8",
    parse: (text) => seconds(text) ?? 8,
  },
  SHUTDOWN_DELAY_S: {
    meaning:
      "minimum seconds to keep listening after SIGTERM or SIGINT, for load balancers that are slow to notice; new work is refused meanwhile",
    fallback: "0, until running requests have finished",
    parse: (text) => seconds(text) ?? 0,
  },
} as const satisfies Record<string, Variable<unknown>>;
