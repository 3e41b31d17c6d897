/**
 * The preparation of a set, or of a part of it: input and output around the
 * pipeline.
 *
 * ```text
 * path ─▶ input recognized ─▶ records ─▶ folder of the set or part
 * ```
 *
 * @module
 */

import { isAbsolute, join, relative, resolve } from "node:path";
import type { PrepareArguments } from "./arguments.ts";
import { captionerOf } from "./encoding/captioner.ts";
import type { PictureEncoder } from "./encoding/picture_encoder.ts";
import type { ServerOptions } from "./encoding/server.ts";
import type { OutputCounts } from "./output/history.ts";
import { PreparedOutput } from "./output/prepared_output.ts";
import { PreparationError } from "./preparation_error.ts";
import {
  type InputPart,
  type PreparationProgress,
  prepareData,
} from "./prepare_data.ts";
import { openSource } from "./readers/open_source.ts";

/** The arguments that determine a set. */
export type SetArguments = Omit<
  PrepareArguments,
  "endpoints" | "imageArea" | "model" | "threads" | "visionModel"
>;

/** The tools of a preparation. */
export interface SetTools {
  /** Opens the encoder of pictures, once the input is known to be readable. */
  readonly openEncoder: () => Promise<PictureEncoder>;
  /** Options of requests to servers that write captions. */
  readonly server: ServerOptions;
  /** Called after each record that is done. */
  readonly onProgress: (
    progress: PreparationProgress,
    counts: OutputCounts,
  ) => void;
}

/** A prepared set, or part. */
export interface PreparedFolder {
  /** Folder of the set. */
  readonly folder: string;
  /** Format of the input. */
  readonly format: string;
  /** Numbers of records, over all runs. */
  readonly counts: OutputCounts;
  /** Reason of the first record that cannot be used; undefined if none is. */
  readonly firstError: string | undefined;
  /** Records of this run without any text. */
  readonly untitled: number;
}

/**
 * Prepares the set of `words`, from where an earlier run of it ended.
 *
 * @param signal Aborts the run; stored records stay.
 * @throws {PreparationError} If input, output or settings are unusable.
 */
export async function prepareSet(
  words: SetArguments,
  { openEncoder, server, onProgress }: SetTools,
  signal: AbortSignal,
): Promise<PreparedFolder> {
  const { input, form, part, resize, captionWith } = words;
  refuseWithin(input, words.out);
  const source = await openSource(input, words.format, words.columns);
  await using encoder = await openEncoder();
  const folder = part === undefined
    ? words.out
    : join(words.out, partFolder(part));
  await using set = await PreparedOutput.open(folder, {
    ...words,
    settings: {
      input: resolve(input),
      form,
      shard: part && `${part.index}/${part.count}`,
      resize,
      "image_area": resize === "released" ? encoder.imageArea : undefined,
      tokenizer: { ...encoder.tokenizer },
    },
  });
  const { untitled } = await prepareData({
    ...{ source, encoder, output: set, part, signal },
    captioner: captionWith.length === 0
      ? undefined
      : captionerOf(captionWith, words.captionQuestion, server),
    maxErrors: words.maxErrors,
    onProgress: (progress) => onProgress(progress, set.counts),
  });
  const { counts, firstError } = set;
  return { folder, format: source.format, counts, firstError, untitled };
}

/** Returns the name of the folder of a part. */
export function partFolder({ index, count }: InputPart): string {
  const digits = (number: number) => String(number).padStart(5, "0");
  return `shard-${digits(index)}-of-${digits(count)}`;
}

/** Refuses an output that the next run would find in its input. */
function refuseWithin(input: string, out: string): void {
  const path = relative(resolve(input), resolve(out));
  if (path.startsWith("..") || isAbsolute(path)) return;
  throw new PreparationError(
    `${out} lies within the input ${input}, name another --out`,
  );
}
