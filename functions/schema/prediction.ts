/**
 * The body of a prediction, as Replicate and Cog have it. What is not known here
 * is ignored, as there.
 *
 * @module
 */

import * as v from "valibot";
import { boundedList } from "./bounded_list.ts";

/** What webhooks may be told of. */
export const PREDICTION_EVENTS = [
  "start",
  "output",
  "logs",
  "completed",
] as const;

/** A prediction that is asked for. */
export const PredictionRequest = v.object({
  input: v.pipe(
    v.record(v.string(), v.unknown()),
    v.description("Fields of the function, by our names or Replicate's."),
  ),
  version: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(256),
      v.description("A function's or a model's name, owner/ and :id ignored."),
    ),
  ),
  webhook: v.optional(
    v.pipe(v.string(), v.maxLength(2048), v.description("https://…")),
  ),
  "webhook_events_filter": v.optional(
    boundedList(v.picklist(PREDICTION_EVENTS), { max: 8 }),
  ),
});
/** A prediction that is asked for. */
export type PredictionRequest = v.InferOutput<typeof PredictionRequest>;
