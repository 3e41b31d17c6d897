/**
 * The environment variables of workflows: the address of their engine.
 *
 * @module
 */

import { publicUrl, type Variable } from "./variable_parsers.ts";

/** The variables, in the order that `--help` lists them. */
export const WORKFLOW_VARIABLES = {
  WORKFLOWS_URL: {
    meaning:
      "URL of the ingress of Restate, which runs chains of functions as workflows",
    fallback: "none, /v1/workflows is disabled",
    parse: publicUrl,
  },
  WORKFLOWS_TOKEN: {
    meaning: "bearer token of the ingress, as Restate Cloud requires",
    fallback: "none",
    parse: (text) => {
      if (text === undefined || /^[\x21-\x7e]+$/.test(text)) return text;
      throw new SyntaxError("expected a token of ASCII without spaces");
    },
  },
} as const satisfies Record<string, Variable<unknown>>;
