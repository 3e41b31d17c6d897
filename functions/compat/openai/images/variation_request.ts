/**
 * The body of `POST /v1/images/variations`, and the generation that it becomes.
 *
 * ```text
 * picture ─▶ codes ─▶ description ─▶ prompt ─▶ codes ─▶ picture
 *                └──▶ first rows (keep) ─────────┘
 * ```
 *
 * Emu3 was not trained to vary pictures. It describes the picture and draws
 * that description with another seed; where no model answers, the first rows of
 * the picture stay and the rest is drawn under them.
 *
 * @module
 */

import * as v from "valibot";
import { type CodeGrid, firstRows } from "../../../../lib/grid.ts";
import { startCaptioning } from "../../../inference/captioning.ts";
import type { Call } from "../../../http/call.ts";
import { gridFields } from "../../../http/grid_json.ts";
import type {
  Captioners,
  ImageGenerator,
  Tools,
} from "../../../models/ports.ts";
import { encodePicture } from "../../../inference/encode_image.ts";
import { DEFAULT_QUESTION } from "../../../schema/caption.ts";
import { Text } from "../../../schema/common.ts";
import type { Upload } from "../../../http/upload.ts";
import {
  ImageRequest,
  type WantedGeneration,
  wantedGeneration,
} from "./image_request.ts";
import type { AnswerOf } from "../../../schema/answers/answers.ts";
import type { VariationAnswer } from "../../../schema/answers/edits.ts";
import { open } from "../schema.ts";
import {
  encodeSource,
  SOURCE_ENTRIES,
  sourceBytes,
  type SourcePicture,
  sourcePicture,
} from "./source_picture.ts";

/** The fraction of rows that is kept without a description. */
const UNDESCRIBED_KEEP = 0.25;

/** Maximum tokens of a description. */
const MAX_DESCRIPTION_TOKENS = 256;

const { stream: _, partial_images: __, prompt: ___, ...generation } =
  ImageRequest.entries;

/** The schema of a variation: OpenAI's fields, and extensions. */
export const VariationRequest = v.object({
  ...generation,
  ...SOURCE_ENTRIES,
  prompt: open(
    v.pipe(
      Text,
      v.description(
        "Prompt; by default a description of the image. Extension of the OpenAI API.",
      ),
    ),
  ),
  keep: open(
    v.pipe(
      v.number(),
      v.minValue(0),
      v.maxValue(1),
      v.description(
        `Fraction of the rows to keep, from the top; at least one row is generated. 0 by default with a prompt or a description, else ${UNDESCRIBED_KEEP}. Extension of the OpenAI API.`,
      ),
    ),
  ),
});
/** A request to vary a picture: OpenAI's fields, and extensions. */
export type VariationRequest = v.InferOutput<typeof VariationRequest>;

/** The method of a variation, reported in the answer. */
export interface Variation {
  /** Origin of the prompt. */
  readonly how: "described" | "prompted" | "continued";
  /** Prompt that is drawn; empty for none. */
  readonly prompt: string;
  /** Number of kept rows, from the top. */
  readonly keptRows: number;
}

/** A variation as a generation. */
export interface WantedVariation extends WantedGeneration {
  /** Method of the variation. */
  readonly variation: Variation;
}

/**
 * Returns the generation that a variation becomes.
 *
 * @param describer Describes the picture; undefined where no model answers.
 * @throws {InvalidFieldsError} If there is no picture.
 */
export async function wantedVariation(
  tools: Tools,
  upload: Upload<VariationRequest>,
  { generator, describer }: {
    readonly generator: ImageGenerator;
    readonly describer: Captioners | undefined;
  },
  call: Call,
): Promise<WantedVariation> {
  const { fields } = upload;
  using held = new DisposableStack();
  const bytes = await sourceBytes(tools, upload, { call, held });
  const source = sourcePicture(bytes, generator);
  const prompt = fields.prompt ??
    (describer === undefined
      ? undefined
      : await described(describer, source, call));
  const keep = fields.keep ?? (prompt === undefined ? UNDESCRIBED_KEEP : 0);
  const { height } = source.size;
  const keptRows = Math.min(height - 1, Math.round(keep * height));
  const prefix = keptRows === 0
    ? undefined
    : firstRows(await encodeSource(tools, source, generator, call), keptRows);
  const variation: Variation = {
    how: fields.prompt !== undefined
      ? "prompted"
      : prompt !== undefined
      ? "described"
      : "continued",
    prompt: prompt ?? "",
    keptRows,
  };
  return {
    ...drawingOf(fields, source, { generator, variation, prefix }),
    variation,
  };
}

/** Returns the extension fields that describe how the picture was made. */
export function variationFields(
  variation: Variation,
): AnswerOf<typeof VariationAnswer>["variation"] {
  const { how, prompt, keptRows } = variation;
  return { how, prompt, "kept_rows": keptRows };
}

function drawingOf(
  fields: VariationRequest,
  { shown }: SourcePicture,
  { generator, variation, prefix }: {
    readonly generator: ImageGenerator;
    readonly variation: Variation;
    readonly prefix: CodeGrid | undefined;
  },
): WantedGeneration {
  const { request, wanted } = wantedGeneration({
    ...fields,
    prompt: variation.prompt,
    size: `${shown.width}x${shown.height}`,
    stream: false,
    "partial_images": 0,
  }, generator);
  return {
    request: { ...request, prefix: prefix && gridFields(prefix) },
    wanted,
  };
}

/** Returns a description of the picture. */
async function described(
  describer: Captioners,
  { bytes }: SourcePicture,
  { signal, caller, observer }: Call,
): Promise<string> {
  const { vision } = describer.captioner(undefined);
  // The description is a part of the work: its progress is not the call's.
  const accepted = () => observer?.accepted?.();
  const call = { signal, caller, observer: { accepted } };
  const options = { decode: "display", call } as const;
  const grid = await encodePicture(describer, bytes, vision, options);
  const fields = {
    question: DEFAULT_QUESTION,
    "max_tokens": MAX_DESCRIPTION_TOKENS,
    temperature: 0,
  };
  const pictures = { grids: [grid], visionMs: 0 };
  const answered = await startCaptioning(describer, fields, pictures, call)
    .finish();
  return answered.text.trim();
}
