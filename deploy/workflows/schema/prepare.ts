/**
 * The input and output of the chain `prepare`.
 *
 * @module
 */

import * as v from "valibot";
import { RESIZES } from "../../../lib/tuning/training_sizes.ts";
import { INPUT_FORMATS, OUTPUT_FORMS } from "../../prepare/data_formats.ts";
import { Text } from "./codes.ts";

/** The most shards of a set. */
const MAX_SHARDS = 1000;

/** The most shards that are encoded at once. */
const MAX_CONCURRENCY = 16;

/** The schema of a path under the folder of data. */
const DataPath = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));

/** The schema of a name of a column. */
const Column = v.optional(v.pipe(v.string(), v.maxLength(256)));

/** The schema of a count, one or more. */
const Count = v.pipe(v.number(), v.integer(), v.minValue(1));

/** The schema of the input: options of `task prepare-data`. */
export const PrepareInput = v.strictObject({
  data: v.pipe(
    DataPath,
    v.description("File or folder of the input, under WORKFLOWS_DATA."),
  ),
  out: v.pipe(
    DataPath,
    v.description("Folder of the prepared set, under WORKFLOWS_DATA."),
  ),
  shards: v.pipe(
    v.optional(v.pipe(Count, v.maxValue(MAX_SHARDS)), 1),
    v.description("Number of parts of the input, each a step."),
  ),
  concurrency: v.pipe(
    v.optional(v.pipe(Count, v.maxValue(MAX_CONCURRENCY)), 2),
    v.description("The most parts that are encoded at once."),
  ),
  to: v.pipe(
    v.optional(v.picklist(OUTPUT_FORMS), "emu3"),
    v.description("Form of the prepared set."),
  ),
  format: v.optional(
    v.pipe(
      v.picklist(INPUT_FORMATS),
      v.description("Format of the input, if it is not recognized."),
    ),
  ),
  "image_column": Column,
  "text_column": Column,
  "name_column": Column,
  "question_column": Column,
  "answer_column": Column,
  resize: v.optional(v.picklist(RESIZES)),
  "image_area": v.optional(Count),
  captions: v.pipe(
    v.optional(v.boolean(), false),
    v.description("true to caption pictures without a text."),
  ),
  "caption_question": v.optional(Text),
  "shard_size": v.pipe(
    v.optional(Count, 1000),
    v.description("Records of a file of the set."),
  ),
  "max_errors": v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.description("The most records of a part that may be unusable."),
    ),
  ),
});
/** The input of the chain `prepare`. */
export type PrepareInput = v.InferOutput<typeof PrepareInput>;

/** The schema of a prepared part. */
export const PreparedPart = v.object({
  folder: v.pipe(
    v.string(),
    v.description("Its folder, under WORKFLOWS_DATA."),
  ),
  manifest: v.pipe(
    v.string(),
    v.description("List of its records or files, under WORKFLOWS_DATA."),
  ),
  records: v.number(),
  errors: v.pipe(
    v.number(),
    v.description("Records that cannot be used, as in its errors.jsonl."),
  ),
  "first_error": v.optional(v.string()),
});
/** A prepared part. */
export type PreparedPart = v.InferOutput<typeof PreparedPart>;

/** The schema of the output. */
export const PrepareOutput = v.object({
  out: v.pipe(
    v.string(),
    v.description("Folder of the set, as task tune takes it."),
  ),
  records: v.number(),
  errors: v.number(),
  parts: v.array(PreparedPart),
});
