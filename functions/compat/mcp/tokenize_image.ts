/**
 * The `tokenize_image` tool: picture → codes.
 *
 * @module
 */

import * as v from "valibot";
import { gridFields } from "../../http/grid_json.ts";
import type { Tokenizers } from "../../models/ports.ts";
import { preparePicture } from "../../inference/encode_image.ts";
import { DecodeMode, ModelName, Picture } from "../../schema/common.ts";
import { TokenizeRequest } from "../../schema/tokenize.ts";
import { pictureBytes } from "../../http/upload.ts";
import { defineTool, type Tool } from "./tool.ts";

const Input = v.object({
  image: Picture,
  resize: TokenizeRequest.entries.resize,
  decode: v.optional(DecodeMode, "display"),
  model: v.optional(ModelName),
});

const Output = v.object({
  model: v.string(),
  grid: v.pipe(
    v.object({
      height: v.number(),
      width: v.number(),
      codes: v.array(v.array(v.number())),
    }),
    v.description("Rows of codes, as input for detokenize_image."),
  ),
});

/** Returns the tool that encodes a picture to codes. */
export function tokenizeImage(tokenizers: Tokenizers): Tool {
  return defineTool({
    name: "tokenize_image",
    function: "tokenize",
    title: "Encode an image as codes",
    description:
      "Encodes an image (base64 or a data URL) as the grid of codes that Emu3 reads.",
    input: Input,
    output: Output,
    run: async ({ image, resize = "smart", decode, model }, { call }) => {
      const vision = tokenizers.vision(model);
      using held = new DisposableStack();
      const use = { call, held };
      const bytes = await pictureBytes(tokenizers, image, "/image", use);
      using prepared = await preparePicture(tokenizers, bytes, vision, {
        options: { decode, resize },
        call,
      });
      const grid = await vision.encode(
        prepared.image,
        call.signal,
        call.caller,
      );
      call.observer?.finished?.({ tokens: grid.codes.length });
      return {
        pictures: [],
        fields: { model: vision.checkpoint.name, grid: gridFields(grid) },
      };
    },
  });
}
