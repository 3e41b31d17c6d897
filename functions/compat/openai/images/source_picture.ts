/**
 * The source picture of an edit or a variation: a file of a form, or text in
 * one of the JSON forms of OpenAI's clients.
 *
 * @module
 */

import * as v from "valibot";
import {
  type CodeGrid,
  type GridSize,
  pixelSize,
} from "../../../../lib/grid.ts";
import { readHeader } from "../../../../lib/image/header.ts";
import type { PixelSize } from "../../../../lib/image/image.ts";
import type { ImageGenerator, Tools } from "../../../models/ports.ts";
import { encodePicture, sourceSize } from "../../../inference/encode_image.ts";
import type { PictureCall } from "../../../inference/pixel_budget.ts";
import { invalidField } from "../../../http/errors/errors.ts";
import { sizeFromRatio } from "../../../inference/generation_params.ts";
import { boundedList } from "../../../schema/bounded_list.ts";
import { Picture } from "../../../schema/common.ts";
import {
  pictureBytes,
  type PictureUse,
  type Upload,
} from "../../../http/upload.ts";
import { open } from "../schema.ts";

/** Maximum pictures of a request, as with OpenAI; one is used. */
const MAX_SOURCES = 16;

/** The schema of a picture by reference. */
const Reference = v.object({
  "image_url": open(Picture),
  "file_id": open(v.pipe(v.string(), v.maxLength(256))),
});

/** The schema of a picture as text or by reference. */
export const PictureField = v.union([Picture, Reference]);
type PictureField = v.InferOutput<typeof PictureField>;

/** The schema entries of a source picture; in a form it is a file. */
export const SOURCE_ENTRIES = {
  image: open(
    v.pipe(
      PictureField,
      v.description("Image in JSON; in a form it is the file part image."),
    ),
  ),
  images: open(
    v.pipe(
      boundedList(PictureField, { max: MAX_SOURCES }),
      v.description("Image in OpenAI's JSON format; exactly one."),
    ),
  ),
};

/** The file parts of a source picture. */
export const SOURCE_FILES = { image: MAX_SOURCES, "image[]": MAX_SOURCES };

/** The fields of a source picture. */
export interface SourceFields {
  /** Picture as text or by reference. */
  readonly image?: PictureField | undefined;
  /** Pictures in a list. */
  readonly images?: readonly PictureField[] | undefined;
}

/**
 * Reads the source picture.
 *
 * @throws {InvalidFieldsError} If there is none, or more than one.
 */
export async function sourceBytes(
  tools: Tools,
  { fields: { image, images = [] }, files }: Upload<SourceFields>,
  use: PictureUse,
): Promise<Uint8Array<ArrayBuffer>> {
  const fromFiles = Object.keys(SOURCE_FILES)
    .flatMap((name) => files.get(name) ?? []);
  const count = fromFiles.length + images.length +
    (image === undefined ? 0 : 1);
  if (count !== 1) {
    throw invalidField(
      "/image",
      count === 0
        ? "is required"
        : "expected one image: the model does not combine several",
    );
  }
  const [file] = fromFiles;
  if (file !== undefined) return file;
  return image === undefined
    ? await fieldBytes(tools, images[0]!, "/images/0", use)
    : await fieldBytes(tools, image, "/image", use);
}

/**
 * Reads the picture of a field.
 *
 * @throws {InvalidFieldsError} If there is none, or it refers to an uploaded
 * file.
 */
export async function fieldBytes(
  tools: Tools,
  field: PictureField,
  pointer: string,
  use: PictureUse,
): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof field === "string") {
    return await pictureBytes(tools, field, pointer, use);
  }
  const { image_url: text, file_id: id } = field;
  if (id !== undefined) {
    throw invalidField(
      `${pointer}/file_id`,
      "uploaded files are not supported; send image_url with a data URL",
    );
  }
  const place = `${pointer}/image_url`;
  if (text === undefined) throw invalidField(place, "is required");
  return await pictureBytes(tools, text, place, use);
}

/** A source picture and its size. */
export interface SourcePicture {
  /** Bytes of the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Displayed size in pixels. */
  readonly shown: PixelSize;
  /** Grid of its ratio that the model draws, in codes. */
  readonly size: GridSize;
}

/**
 * Measures the picture in `bytes`.
 *
 * @throws {ImageError} If it is not an image.
 * @throws {InvalidFieldsError} If no grid has its ratio.
 */
export function sourcePicture(
  bytes: Uint8Array<ArrayBuffer>,
  { language, vision }: ImageGenerator,
): SourcePicture {
  const shown = sourceSize(readHeader(bytes), { decode: "display" });
  const ratio = `${shown.width}:${shown.height}`;
  const { imageArea } = language.config;
  const size = sizeFromRatio(ratio, imageArea, vision.pixelsPerCode, "/image");
  return { bytes, shown, size };
}

/** Encodes the picture to codes of the drawn size. */
export async function encodeSource(
  tools: Tools,
  { bytes, size }: SourcePicture,
  { vision }: ImageGenerator,
  call: PictureCall,
): Promise<CodeGrid> {
  const resize = pixelSize(size, vision);
  const options = { decode: "display", resize, call } as const;
  return await encodePicture(tools, bytes, vision, options);
}
