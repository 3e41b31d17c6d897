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
import { InvalidFieldsError, MediaTypeError } from "../http/errors/errors.ts";
import { gridFields, gridFromFields } from "../http/grid_json.ts";
import { hasAtMost, parseJson } from "../http/json.ts";
import { pictureBytes } from "../http/upload.ts";
import { encodePicture } from "../inference/encode_image.ts";
import { checkGridSize } from "../inference/image_limit.ts";
import type { Tokenizers } from "../models/ports.ts";
import { Grid, type GridFields, Picture } from "../schema/common.ts";

/** The input of a chain, as its schema parses it. */
export type ChainFields = Readonly<Record<string, unknown>>;

const Fields = v.looseObject({});

/** Values above which validation stops at the first fault of a body. */
const MANY_VALUES = 1000;

/** The field of a body with pixels, and that of an input with codes. */
const Pixels = v.object({
  image: v.optional(v.string()),
  grid: v.optional(Grid),
  model: v.optional(v.string()),
});

/**
 * Returns the schema of bodies for `/openapi.json`: the chain's input, or an
 * image in place of its codes.
 */
export function bodySchema({ input }: ChainInfo): v.GenericSchema {
  const entries = entriesWithGrid(input);
  if (entries === undefined) return input;
  const { grid: _, image_url: address, ...rest } = entries;
  return v.union([
    v.strictObject({ ...rest, image: Picture }),
    v.strictObject({ ...rest, grid: Grid }),
    ...address === undefined
      ? []
      : [v.strictObject({ ...rest, "image_url": address })],
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
  const { image, ...rest } = v.parse(Fields, fields);
  const referred = rest["image_url"] !== undefined &&
    image === undefined && rest["grid"] === undefined;
  // The chain has the server fetch it: the journal holds the address.
  if (referred) return rest;
  return { ...rest, grid: await gridOf(c, tokenizers, fields) };
}

/** Returns the codes of a body, which has them or an image. */
async function gridOf(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  fields: unknown,
): Promise<GridFields> {
  const { image, grid, model } = v.parse(Pixels, fields);
  if ((image === undefined) === (grid === undefined)) {
    throw new InvalidFieldsError([{
      pointer: "/image",
      detail: image === undefined
        ? "is required unless grid is set"
        : "expected exactly one of image and grid",
    }]);
  }
  const vision = tokenizers.vision(model);
  const call = c.get("call");
  if (image === undefined) {
    const codes = gridFromFields(grid!, "/grid", vision.codebookSize);
    checkGridSize(codes, vision, tokenizers.limits);
    return gridFields(codes);
  }
  using held = new DisposableStack();
  const use = { call, held };
  const bytes = await pictureBytes(tokenizers, image, "/image", use);
  const options = { decode: "display", call } as const;
  return gridFields(await encodePicture(tokenizers, bytes, vision, options));
}

/** Returns the schema by which a body is validated. */
function fieldsSchema(input: v.GenericSchema): v.GenericSchema {
  const entries = entriesWithGrid(input);
  if (entries === undefined) return input;
  return v.strictObject({
    ...entries,
    image: v.optional(Picture),
    grid: v.optional(Grid),
  });
}

/** Returns the entries of an input with codes; undefined for other inputs. */
function entriesWithGrid(
  input: v.GenericSchema,
): v.ObjectEntries | undefined {
  const { entries } = input as { readonly entries?: v.ObjectEntries };
  return entries !== undefined && "grid" in entries ? entries : undefined;
}
