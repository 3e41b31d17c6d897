/**
 * The pictures of a question, whichever way they came: as files, as text, as
 * codes.
 *
 * @module
 */

import type { CodeGrid } from "../../lib/grid.ts";
import { isBinaryType, readBinaryCodes } from "../http/raw_codes.ts";
import { mediaType } from "../http/body.ts";
import { gridFromFields, isClip } from "../http/grid_json.ts";
import { checkGridSize } from "./image_limit.ts";
import type { Tools, VisionModel } from "../models/ports.ts";
import { encodePicture, type PictureCall } from "./encode_image.ts";
import { invalidField, InvalidFieldsError } from "../http/errors/errors.ts";
import type { Grid } from "../schema/common.ts";
import { pictureBytes, type PictureUse, type Upload } from "../http/upload.ts";

/** Fields that pictures may come in. */
export interface PictureFields {
  /** A data URL, or base64. */
  readonly image?: string | undefined;
  /** The same, several. */
  readonly images?: readonly string[] | undefined;
  /** Codes. */
  readonly grid?: Grid | undefined;
  /** The same, several. */
  readonly grids?: readonly Grid[] | undefined;
}

/** What pictures are read with. */
export interface ReadingOptions {
  /** As a person sees it, or as the released processor does. */
  readonly decode: "display" | "reference";
  /** The call that they are read for. */
  readonly call: PictureCall;
}

/**
 * The grids of a question, in order.
 *
 * @param request Whose headers size bare codes.
 * @throws {InvalidFieldsError} When there is none, or they came two ways.
 */
export async function questionGrids(
  request: Request,
  upload: Upload<PictureFields>,
  vision: VisionModel,
  tools: Tools,
  options: ReadingOptions,
): Promise<CodeGrid[]> {
  const grids = codesOf(request, upload, vision);
  if (grids !== undefined) {
    for (const grid of grids) checkGridSize(grid, vision, tools.limits);
    return grids;
  }
  using held = new DisposableStack();
  const { call } = options;
  const encoded: CodeGrid[] = [];
  for (const bytes of await filesOf(tools, upload, { call, held })) {
    encoded.push(await encodePicture(tools, bytes, vision, options));
  }
  return encoded;
}

/**
 * Refuses pictures that came in no way, or in two.
 *
 * @throws {InvalidFieldsError} Naming the ways there are.
 */
export function checkOneWay(
  { fields, files, codes }: Upload<PictureFields>,
): void {
  const ways = [
    fields.image,
    fields.images,
    fields.grid,
    fields.grids,
    files.get("image"),
    codes,
  ].filter((way) => way !== undefined);
  if (ways.length === 1) return;
  throw new InvalidFieldsError([{
    pointer: "/image",
    detail: ways.length === 0
      ? "is required, unless there is images, grid or grids"
      : "expected one of image, images, grid and grids",
  }]);
}

/** Undefined when pixels came. */
function codesOf(
  request: Request,
  { fields, codes }: Upload<PictureFields>,
  { codebookSize }: VisionModel,
): CodeGrid[] | undefined {
  if (fields.grid !== undefined) {
    return [gridFromFields(fields.grid, "/grid", codebookSize)];
  }
  if (fields.grids !== undefined) {
    return fields.grids.map((grid, i) =>
      gridFromFields(grid, `/grids/${i}`, codebookSize)
    );
  }
  const type = mediaType(request);
  if (codes === undefined || !isBinaryType(type)) return undefined;
  const grid = readBinaryCodes(codes, type, request.headers, codebookSize);
  if (isClip(grid)) throw invalidField("", "expected codes of shape [H, W]");
  return [grid];
}

async function filesOf(
  tools: Tools,
  { fields, files }: Upload<PictureFields>,
  use: PictureUse,
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  if (fields.image !== undefined) {
    return [await pictureBytes(tools, fields.image, "/image", use)];
  }
  if (fields.images === undefined) return files.get("image") ?? [];
  return await Promise.all(
    fields.images.map((text, i) =>
      pictureBytes(tools, text, `/images/${i}`, use)
    ),
  );
}
