/**
 * The environment variables of a server, by group, with their meanings,
 * defaults and parsers.
 *
 * @module
 */

import { JOB_VARIABLES } from "./config/job_variables.ts";
import { LIMIT_VARIABLES } from "./config/limit_variables.ts";
import { MODEL_VARIABLES } from "./config/model_variables.ts";
import { PERFORMANCE_VARIABLES } from "./config/performance_variables.ts";
import { SECURITY_VARIABLES } from "./config/security_variables.ts";
import { SERVING_VARIABLES } from "./config/serving_variables.ts";
import { WORKFLOW_VARIABLES } from "./config/workflow_variables.ts";
import { logFormat, type Variable } from "./config/variable_parsers.ts";
import { RUNPOD_VARIABLES } from "./runpod/variables.ts";

/** The variables of logging. */
const OBSERVABILITY_VARIABLES = {
  LOG: {
    meaning: "format of the log, one line per request: json, pretty",
    fallback: "pretty in a terminal, else json",
    parse: logFormat,
  },
} as const satisfies Record<string, Variable<unknown>>;

/** The groups of variables by title, in the order that `--help` lists them. */
export const VARIABLE_GROUPS: Readonly<
  Record<string, Readonly<Record<string, Variable<unknown>>>>
> = {
  "Serving": SERVING_VARIABLES,
  "Models": MODEL_VARIABLES,
  "Memory and speed": PERFORMANCE_VARIABLES,
  "Limits": LIMIT_VARIABLES,
  "Jobs": JOB_VARIABLES,
  "Workflows": WORKFLOW_VARIABLES,
  "Keys and security": SECURITY_VARIABLES,
  "Observability": OBSERVABILITY_VARIABLES,
  "RunPod": RUNPOD_VARIABLES,
};

/** The variables of all groups. */
export const VARIABLES = {
  ...SERVING_VARIABLES,
  ...MODEL_VARIABLES,
  ...PERFORMANCE_VARIABLES,
  ...LIMIT_VARIABLES,
  ...JOB_VARIABLES,
  ...WORKFLOW_VARIABLES,
  ...SECURITY_VARIABLES,
  ...OBSERVABILITY_VARIABLES,
  ...RUNPOD_VARIABLES,
} as const satisfies Record<string, Variable<unknown>>;

/**
 * The folder of the embedded language model, located beside the code from any
 * working directory.
 */
export const EMBEDDED_MODEL: string = embedded("emu3-mini");

/** The folder of the embedded language model for clips. */
export const EMBEDDED_CLIP_MODEL: string = embedded("emu3-mini-clips");

function embedded(name: string): string {
  return decodeURIComponent(
    new URL(`../models/${name}`, import.meta.url).pathname,
  );
}
