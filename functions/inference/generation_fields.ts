/**
 * The fields of a generation in JSON and in events.
 *
 * @module
 */

import { answeredName } from "./adapters.ts";
import type { DrawnRow } from "../../lib/drawing/drawn_grid.ts";
import { isLossless } from "../../lib/drawing/strategy.ts";
import type { TokenScore } from "../../lib/sampling/log_probabilities.ts";
import type { GeneratedClip } from "./clips/clip_events.ts";
import type {
  GeneratedPicture,
  Generation,
  GenerationProgress,
} from "./generation_events.ts";
import type { GenerationTask, PictureFile } from "./generation_task.ts";
import { clipFields, gridFields } from "../http/grid_json.ts";
import { pixelFrames } from "./clips/clip_files.ts";
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

/** The fields of a clip; those of its file are omitted for codes only. */
type ClipAnswerFields =
  & Omit<ClipEntry, keyof ClipFileFields>
  & Partial<ClipFileFields>;
type ClipEntry = NonNullable<GenerateAnswer["clips"]>[number];
type ClipFileFields = Pick<
  ClipEntry,
  "b64_json" | "mime_type" | "height" | "width"
>;

/** The whole answer of a request, with or without files. */
export type GenerationFields = Omit<GenerateAnswer, "images" | "clips"> & {
  readonly images: readonly ImageFields[];
  readonly clips?: readonly ClipAnswerFields[];
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
    ...(task.params.clip && {
      clips: generation.clips.map((clip) => clipAnswer(clip, task)),
    }),
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

/** Returns the fields of one clip. */
export function clipAnswer(
  { codes, rows, file }: GeneratedClip,
  { params, models }: Pick<GenerationTask, "params" | "models">,
): ClipAnswerFields {
  const scored = rows.some(({ scores }) => scores.length > 0);
  return {
    ...(file && fileFields(file)),
    frames: pixelFrames(codes, models.vision),
    fps: params.clip!.fps,
    clip: clipFields(codes),
    ...(scored && { rows: rows.map(drawnRow) }),
  };
}

/** Returns the fields of a frame that is complete. */
export function frameFields(
  { imageIndex, frame, previews }: Extract<
    GenerationProgress,
    { type: "frame" }
  >,
): GenerateEvents["frame"] {
  return {
    "image_index": imageIndex,
    frame,
    ...(previews && { previews: previews.map(fileFields) }),
  };
}

/**
 * Returns the fields of a row that was just drawn.
 *
 * @param frameHeight Rows of a clip's frame; undefined for a picture.
 */
export function rowFields(
  { imageIndex, row, preview }: Extract<GenerationProgress, { type: "row" }>,
  frameHeight?: number,
): GenerateEvents["row"] {
  return {
    "image_index": imageIndex,
    ...drawnRow(row),
    ...(frameHeight && {
      frame: Math.floor(row.index / frameHeight),
      index: row.index % frameHeight,
    }),
    ...(preview && { preview: fileFields(preview) }),
  };
}

function fileFields<Type extends string>(
  { bytes, type, height, width }: Omit<PictureFile, "type"> & {
    readonly type: Type;
  },
) {
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
