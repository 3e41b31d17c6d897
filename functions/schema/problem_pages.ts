/**
 * The answers of `/problems`: kinds of problems in JSON.
 *
 * @module
 */

import * as v from "valibot";

/** The schema of a kind of problem. */
export const ProblemPageAnswer = v.pipe(
  v.strictObject({
    type: v.pipe(v.string(), v.description("URL of the problem's page.")),
    code: v.string(),
    status: v.pipe(v.number(), v.integer()),
    title: v.string(),
    meaning: v.string(),
    remedy: v.pipe(v.string(), v.description("Remedy.")),
  }),
  v.metadata({ ref: "ProblemKind" }),
);

/** The schema of the list of all kinds. */
export const ProblemPagesAnswer = v.strictObject({
  data: v.array(ProblemPageAnswer),
});
