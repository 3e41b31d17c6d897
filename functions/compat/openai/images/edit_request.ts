/**
 * The body of `POST /v1/images/edits`, and the generation that it becomes.
 *
 * Emu3 was not trained to edit. It draws codes in raster order, each given
 * those before it: the codes outside the mask are those of the picture, the
 * others are drawn among them. A drawn code does not depend on those below it.
 *
 * @module
 */

import * as v from "valibot";
import {
  drawnCount,
  type KeptCodes,
} from "../../../../lib/drawing/kept_codes.ts";
import { readHeader, shownSize } from "../../../../lib/image/header.ts";
import { keptFields } from "../../../inference/kept_codes.ts";
import type { ImageGenerator, Tools } from "../../../models/ports.ts";
import type { PictureCall } from "../../../inference/pixel_budget.ts";
import { invalidField } from "../../../http/errors/errors.ts";
import type { PictureUse, Upload } from "../../../http/upload.ts";
import { decodeAlpha, keptByAlpha } from "./edit_mask.ts";
import {
  ImageRequest,
  partialRows,
  type WantedGeneration,
  wantedGeneration,
} from "./image_request.ts";
import type { AnswerOf } from "../../../schema/answers/answers.ts";
import type { EditAnswer } from "../../../schema/answers/edits.ts";
import { open } from "../schema.ts";
import {
  encodeSource,
  fieldBytes,
  PictureField,
  SOURCE_ENTRIES,
  SOURCE_FILES,
  sourceBytes,
  type SourcePicture,
  sourcePicture,
} from "./source_picture.ts";

/** The schema of an edit: OpenAI's fields, and extensions. */
export const EditRequest = v.object({
  ...ImageRequest.entries,
  ...SOURCE_ENTRIES,
  mask: open(
    v.pipe(
      PictureField,
      v.description(
        "Mask of the image's size; transparent parts are regenerated. By default, the transparency of the image is used.",
      ),
    ),
  ),
});
/** A request to edit a picture: OpenAI's fields, and extensions. */
export type EditRequest = v.InferOutput<typeof EditRequest>;

/** File parts of an edit beside those of its picture. */
export const MASK_FILES = { mask: 1 };

/** File parts of an edit. */
export const EDIT_FILES = { ...SOURCE_FILES, ...MASK_FILES };

/** An edit as a generation. */
export interface WantedEdit extends WantedGeneration {
  /** Kept codes. */
  readonly keep: KeptCodes;
}

/**
 * Returns the generation that an edit becomes.
 *
 * @throws {InvalidFieldsError} If there is no picture, or no part of it is to
 * be redrawn.
 */
export async function wantedEdit(
  tools: Tools,
  upload: Upload<EditRequest>,
  generator: ImageGenerator,
  call: PictureCall,
): Promise<WantedEdit> {
  const { fields } = upload;
  using held = new DisposableStack();
  const use = { call, held };
  const bytes = await sourceBytes(tools, upload, use);
  const source = sourcePicture(bytes, generator);
  const { request, wanted } = wantedGeneration(
    { ...fields, size: sizeText(source) },
    generator,
  );
  const kept = await keptByMask(tools, upload, source, use);
  const grid = await encodeSource(tools, source, generator, call);
  const keep = { ...grid, kept };
  const { height: _, width: __, ...rest } = request;
  const partialImages = fields.stream ? fields.partial_images : 0;
  return {
    request: { ...rest, keep: keptFields(keep) },
    wanted: { ...wanted, preview: drawnRows(keep, partialImages) },
    keep,
  };
}

/** Returns the extension fields that describe how the picture was made. */
export function editFields(
  keep: KeptCodes,
): AnswerOf<typeof EditAnswer>["edit"] {
  const drawn = drawnCount(keep);
  return {
    how: "inpainted",
    "kept_codes": keep.codes.length - drawn,
    "drawn_codes": drawn,
  };
}

/** Returns the kept codes of the picture. */
async function keptByMask(
  tools: Tools,
  { fields: { mask }, files }: Upload<EditRequest>,
  { bytes, shown, size }: SourcePicture,
  use: PictureUse,
): Promise<Uint8Array<ArrayBuffer>> {
  const own = files.get("mask")?.[0] ??
    (mask === undefined
      ? undefined
      : await fieldBytes(tools, mask, "/mask", use));
  const masked = shownSize(readHeader(own ?? bytes));
  if (masked.height !== shown.height || masked.width !== shown.width) {
    throw invalidField(
      "/mask",
      `expected ${shown.width} × ${shown.height} pixels, the size of the image, but got ${masked.width} × ${masked.height}`,
    );
  }
  const alpha = await decodeAlpha(tools, own ?? bytes, use.call);
  const kept = await keptByAlpha(alpha, size);
  if (kept.includes(0)) return kept;
  throw invalidField(
    "/mask",
    own === undefined
      ? "is required unless the image has transparent pixels, since the model can only regenerate masked areas; to redraw the whole image, use POST /v1/images/variations"
      : "expected transparent pixels (alpha 0) where the image should be regenerated",
  );
}

/** Returns the drawn rows after which a partial picture is sent. */
function drawnRows(
  { height, width, kept }: KeptCodes,
  partialImages: number,
): ReadonlySet<number> {
  const first = Math.floor(kept.indexOf(0) / width);
  const rows = partialRows(height - first, partialImages);
  return new Set([...rows].map((row) => first + row));
}

function sizeText({ shown }: SourcePicture): string {
  return `${shown.width}x${shown.height}`;
}
