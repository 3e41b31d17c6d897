/**
 * The formats of inputs and the forms of prepared sets, for the command and for
 * the chain that runs it.
 *
 * @module
 */

/** The formats of inputs. */
export const INPUT_FORMATS = [
  "folder",
  "json",
  "jsonl",
  "csv",
  "tsv",
  "webdataset",
  "parquet",
] as const;

/** The format of an input. */
export type InputFormat = (typeof INPUT_FORMATS)[number];

/** The forms whose records are in shards. */
export const SHARD_FORMS = ["jsonl", "parquet", "webdataset"] as const;

/** A form whose records are in shards. */
export type ShardForm = (typeof SHARD_FORMS)[number];

/** The forms of output: that of the released scripts, and those in shards. */
export const OUTPUT_FORMS = ["emu3", ...SHARD_FORMS] as const;

/** A form of output. */
export type OutputForm = (typeof OUTPUT_FORMS)[number];
