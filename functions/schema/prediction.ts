/**
 * The body of a prediction in the format of Replicate and Cog. Unknown fields
 * are ignored, as on their servers.
 *
 * @module
 */

import * as v from "valibot";
import { boundedList } from "./bounded_list.ts";

/** The events that webhooks may subscribe to. */
export const PREDICTION_EVENTS = [
  "start",
  "output",
  "logs",
  "completed",
] as const;

/** The schema of a requested prediction. */
export const PredictionRequest = v.object({
  input: v.pipe(
    v.record(v.string(), v.unknown()),
    v.description(
      "Fields of the function, by their names here or in Replicate's API.",
    ),
  ),
  version: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(256),
      v.description(
        "Name of a function or a model; owner/ and :id are ignored.",
      ),
    ),
  ),
  webhook: v.optional(
    v.pipe(v.string(), v.maxLength(2048), v.description("https://…")),
  ),
  "webhook_events_filter": v.optional(
    boundedList(v.picklist(PREDICTION_EVENTS), { max: 8 }),
  ),
});
/** A requested prediction. */
export type PredictionRequest = v.InferOutput<typeof PredictionRequest>;
