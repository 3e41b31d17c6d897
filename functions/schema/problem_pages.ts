/**
 * What `/problems` says of kinds of problems, in JSON.
 *
 * @module
 */

import * as v from "valibot";

/** A kind of problem. */
export const ProblemPageAnswer = v.pipe(
  v.strictObject({
    type: v.pipe(v.string(), v.description("Its page, as problems name it.")),
    code: v.string(),
    status: v.pipe(v.number(), v.integer()),
    title: v.string(),
    meaning: v.string(),
    remedy: v.pipe(v.string(), v.description("What to do.")),
  }),
  v.metadata({ ref: "ProblemKind" }),
);

/** All kinds. */
export const ProblemPagesAnswer = v.strictObject({
  data: v.array(ProblemPageAnswer),
});
