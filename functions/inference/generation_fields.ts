/**
 * The fields of a generation in JSON and in events.
 *
 * @module
 */

import { answeredName } from "./adapters.ts";
import type { DrawnRow } from "../../lib/drawing/drawn_grid.ts";
import { isLossless } from "../../lib/drawing/strategy.ts";
import type { TokenScore } from "../../lib/sampling/log_probabilities.ts";
import type {
  GeneratedPicture,
  Generation,
  GenerationProgress,
  GenerationTask,
  PictureFile,
} from "./generation_events.ts";
import { gridFields } from "../http/grid_json.ts";
import type {
  GenerateAnswer,
  GenerateEvents,
} from "../schema/answers/answers.ts";

/** The fields of a picture's file. */
type FileFields = Required<NonNullable<GenerateEvents["row"]["preview"]>>;

/** The fields of a picture; those of its file are omitted for codes only. */
type ImageFields =
  & Omit<GenerateAnswer["images"][number], keyof FileFields>
  & Partial<FileFields>;

/** The fields of a row of codes. */
type RowFields = NonNullable<ImageFields["rows"]>[number];

/** The whole answer of a request, with or without files. */
export type GenerationFields = Omit<GenerateAnswer, "images"> & {
  readonly images: readonly ImageFields[];
};

/** Returns the whole answer. */
export function generationFields(
  { id, task }: { readonly id: string; readonly task: GenerationTask },
  generation: Generation,
): GenerationFields {
  return {
    id,
    model: answeredName(task.models, task.params.adapter),
    seed: task.params.seed,
    strategy: task.params.strategy.name,
    lossless: isLossless(task.params.strategy),
    images: generation.pictures.map(imageFields),
    usage: {
      "prompt_tokens": generation.promptTokens,
      "image_tokens": generation.newTokens,
      forwards: generation.forwards,
    },
    timings: generation.timings,
  };
}

/** Returns the fields of one picture. */
export function imageFields(
  { grid, rows, file }: GeneratedPicture,
): ImageFields {
  const scored = rows.some(({ scores }) => scores.length > 0);
  return {
    ...(file && fileFields(file)),
    grid: gridFields(grid),
    ...(scored && { rows: rows.map(drawnRow) }),
  };
}

/** Returns the fields of a row that was just drawn. */
export function rowFields(
  { imageIndex, row, preview }: Extract<GenerationProgress, { type: "row" }>,
): GenerateEvents["row"] {
  return {
    "image_index": imageIndex,
    ...drawnRow(row),
    ...(preview && { preview: fileFields(preview) }),
  };
}

function fileFields({ bytes, type, height, width }: PictureFile): FileFields {
  return { "b64_json": bytes.toBase64(), "mime_type": type, height, width };
}

function drawnRow({ index, codes, scores }: DrawnRow): RowFields {
  return {
    index,
    codes: [...codes],
    ...(scores.length > 0 && { logprobs: scores.map(tokenScoreFields) }),
  };
}

/** Returns the probabilities of a code. */
export function tokenScoreFields(
  { logprob, entropy, strongest }: TokenScore,
): NonNullable<RowFields["logprobs"]>[number] {
  return { logprob, entropy, top: strongest };
}
