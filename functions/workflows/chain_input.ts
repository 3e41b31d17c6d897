/**
 * The input of a chain: validated here, so that nothing invalid is started, and
 * with the codes of an image in place of its pixels, so that the journal of the
 * workflow holds codes only.
 *
 * @module
 */

import type { Context } from "hono";
import * as v from "valibot";
import type { ChainInfo } from "../../deploy/workflows/schema/chains.ts";
import { isJson, mediaType, parseFields, readBytes } from "../http/body.ts";
import type { AppEnv } from "../http/context.ts";
import { invalidField, MediaTypeError } from "../http/errors/errors.ts";
import { gridFields, gridFromFields } from "../http/grid_json.ts";
import { hasAtMost, parseJson } from "../http/json.ts";
import { pictureBytes } from "../http/upload.ts";
import { encodePicture } from "../inference/encode_image.ts";
import { checkGridPixels } from "../inference/image_limit.ts";
import type { Tokenizers } from "../models/ports.ts";
import { Grid, type GridFields, Picture } from "../schema/common.ts";

/** The input of a chain, as its schema parses it. */
export type ChainFields = Readonly<Record<string, unknown>>;

const Fields = v.looseObject({});

/** Values above which validation stops at the first fault of a body. */
const MANY_VALUES = 1000;

/** The fields of a body for a picture, of which it has one. */
const PICTURE_ENTRIES = {
  image: Picture,
  "image_url": v.pipe(Picture, v.description("The same as image.")),
  grid: Grid,
};

const PictureFields = v.object({
  ...v.partial(v.object(PICTURE_ENTRIES)).entries,
  model: v.optional(v.string()),
});

/**
 * Returns the schema of bodies for `/openapi.json`: the chain's input, or an
 * image in place of its codes.
 */
export function bodySchema({ input }: ChainInfo): v.GenericSchema {
  const entries = entriesWithGrid(input);
  if (entries === undefined) return input;
  const { grid: _, image_url: __, ...rest } = entries;
  return v.union([
    v.strictObject({ ...rest, image: Picture }),
    v.strictObject({ ...rest, grid: Grid }),
  ]);
}

/**
 * Reads the input of a chain from the body of a request.
 *
 * @throws {InvalidFieldsError} If it does not have the chain's schema.
 */
export async function readChainInput(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  info: ChainInfo,
): Promise<ChainFields> {
  const type = mediaType(c.req.raw);
  if (type !== "" && !isJson(type)) {
    throw new MediaTypeError(
      "its Content-Type is not supported; set it to application/json",
    );
  }
  const { maxBodyBytes } = tokenizers.limits;
  const value = await parseJson(await readBytes(c.req.raw, maxBodyBytes));
  const schema = fieldsSchema(info.input);
  // Each issue takes a kilobyte.
  const abortEarly = !hasAtMost(MANY_VALUES, value);
  const fields = parseFields(schema, value, { abortEarly });
  if (entriesWithGrid(info.input) === undefined) return v.parse(Fields, fields);
  const { image: _, image_url: __, ...rest } = v.parse(Fields, fields);
  return { ...rest, grid: await gridOf(c, tokenizers, fields) };
}

/** Returns the codes of a body, which has them or an image. */
async function gridOf(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  fields: unknown,
): Promise<GridFields> {
  const { grid, model, image, image_url: url } = v.parse(PictureFields, fields);
  const given = [grid, image, url].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw invalidField(
      "/image",
      given.length === 0
        ? "is required unless grid is set"
        : "expected exactly one of image and grid",
    );
  }
  const vision = tokenizers.vision(model);
  const call = c.get("call");
  if (grid !== undefined) {
    const codes = gridFromFields(grid, "/grid", vision.codebookSize);
    checkGridPixels(codes, vision, tokenizers.limits);
    return gridFields(codes);
  }
  using held = new DisposableStack();
  const use = { call, held };
  const pointer = image === undefined ? "/image_url" : "/image";
  const text = image ?? url!;
  const bytes = await pictureBytes(tokenizers, text, pointer, use);
  const options = { decode: "display", call } as const;
  return gridFields(await encodePicture(tokenizers, bytes, vision, options));
}

/** Returns the schema by which a body is validated. */
function fieldsSchema(input: v.GenericSchema): v.GenericSchema {
  const entries = entriesWithGrid(input);
  if (entries === undefined) return input;
  return v.strictObject({
    ...entries,
    ...v.partial(v.object(PICTURE_ENTRIES)).entries,
  });
}

/** Returns the entries of an input with codes; undefined for other inputs. */
function entriesWithGrid(
  input: v.GenericSchema,
): v.ObjectEntries | undefined {
  const { entries } = input as { readonly entries?: v.ObjectEntries };
  return entries !== undefined && "grid" in entries ? entries : undefined;
}
