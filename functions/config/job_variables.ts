/**
 * The environment variables of jobs: their store, its limits and webhooks.
 *
 * @module
 */

import {
  count,
  type Variable,
  webhookSecret,
  whole,
} from "./variable_parsers.ts";

/** The variables, in the order that `--help` lists them. */
export const JOB_VARIABLES = {
  STORE: {
    meaning:
      "SQLite file of jobs and idempotent responses, or :memory: for none on disk",
    fallback: "emu3/jobs.sqlite in the user's cache folder",
    parse: (text) => text,
  },
  STORE_BYTES: {
    ...count(
      "maximum size of the store, in bytes; the jobs that ended first are removed first",
      "1073741824 (1 GiB)",
      1,
    ),
    parse: (text) => whole(text, 2 ** 20) ?? 2 ** 30,
  },
  JOB_TTL_S: {
    meaning:
      "seconds to keep ended jobs and idempotent responses before they are removed",
    fallback: "86400 (1 day)",
    parse: (text) => whole(text, 1) ?? 86_400,
  },
  WEBHOOK_SECRET: {
    meaning: "secret that signs webhooks: whsec_ followed by base64",
    fallback: "none, webhooks are disabled",
    parse: webhookSecret,
  },
} as const satisfies Record<string, Variable<unknown>>;
