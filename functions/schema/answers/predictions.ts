/**
 * The answers about predictions, in the format of Replicate and Cog.
 *
 * @module
 */

import * as v from "valibot";

const Time = v.nullable(v.string());

/** The schema of a prediction. */
export const PredictionAnswer = v.pipe(
  v.strictObject({
    id: v.string(),
    model: v.string(),
    version: v.string(),
    input: v.record(v.string(), v.unknown()),
    output: v.pipe(
      v.unknown(),
      v.description(
        "Images as data URLs, text, or the response of a function.",
      ),
    ),
    logs: v.string(),
    error: v.nullable(v.string()),
    status: v.picklist([
      "starting",
      "processing",
      "succeeded",
      "failed",
      "canceled",
    ]),
    "created_at": Time,
    "started_at": Time,
    "completed_at": Time,
    "data_removed": v.boolean(),
    metrics: v.strictObject({ "predict_time": v.optional(v.number()) }),
    urls: v.strictObject({
      get: v.string(),
      cancel: v.string(),
      stream: v.string(),
    }),
  }),
  v.metadata({ ref: "Prediction" }),
);

/** The schema of a list of predictions, the newest first. */
export const PredictionsAnswer = v.strictObject({
  results: v.array(PredictionAnswer),
  next: v.pipe(
    v.nullable(v.string()),
    v.description("URL of the next page; null on the last page."),
  ),
  previous: v.null(),
});

/** The schema of a model under any requested name. */
export const PredictionModelAnswer = v.strictObject({
  owner: v.string(),
  name: v.string(),
  url: v.string(),
  "latest_version": v.strictObject({ id: v.string(), "created_at": v.null() }),
});

/** The schema of an uploaded file, returned as a data URL. */
export const FileAnswer = v.strictObject({
  id: v.string(),
  name: v.string(),
  "content_type": v.string(),
  size: v.number(),
  "created_at": v.string(),
  metadata: v.strictObject({}),
  urls: v.strictObject({ get: v.string() }),
});

/** The schema of the models' readiness in Cog's format. */
export const CogHealthAnswer = v.strictObject({
  status: v.picklist(["READY", "BUSY", "STARTING", "SETUP_FAILED"]),
  setup: v.strictObject({
    status: v.picklist(["starting", "succeeded", "failed"]),
  }),
});
