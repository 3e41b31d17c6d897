/**
 * The `detokenize_image` tool: codes → picture.
 *
 * @module
 */

import * as v from "valibot";
import { gridFromFields } from "../../http/grid_json.ts";
import { checkGridSize } from "../../inference/image_limit.ts";
import type { Tokenizers } from "../../models/ports.ts";
import { acquirePicture } from "../../inference/render.ts";
import { Grid, ModelName } from "../../schema/common.ts";
import { defineTool, imageContent, type Tool } from "./tool.ts";

const Input = v.object({ grid: Grid, model: v.optional(ModelName) });

const Output = v.object({
  model: v.string(),
  height: v.number(),
  width: v.number(),
});

/** Returns the tool that decodes codes to a picture. */
export function detokenizeImage(tokenizers: Tokenizers): Tool {
  return defineTool({
    name: "detokenize_image",
    function: "detokenize",
    title: "Decode codes to an image",
    description:
      "Decodes a grid of codes, such as tokenize_image returns, to a PNG.",
    input: Input,
    output: Output,
    run: async ({ grid: field, model }, { call }) => {
      const vision = tokenizers.vision(model);
      const grid = gridFromFields(field, "/grid", vision.codebookSize);
      checkGridSize(grid, vision, tokenizers.limits);
      using _share = await acquirePicture(tokenizers, grid, vision, { call });
      const image = await vision.decode(grid, call.signal, call.caller);
      const png = await tokenizers.codec.encodePng(image, {}, call);
      call.observer?.finished?.({ tokens: grid.codes.length });
      const { height, width } = image;
      return {
        pictures: [imageContent(png, "image/png")],
        fields: { model: vision.checkpoint.name, height, width },
      };
    },
  });
}
