/**
 * The `generate_image` tool: prompt → pictures or clips, row by row.
 *
 * @module
 */

import { answeredName } from "../../inference/adapters.ts";
import * as v from "valibot";
import { isLossless } from "../../../lib/drawing/strategy.ts";
import {
  type GenerationRun,
  startGeneration,
} from "../../inference/generation.ts";
import type { ImageGenerators } from "../../models/ports.ts";
import type { PixelSize } from "../../../lib/image/image.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { readyRequest } from "../../inference/clips/clip_context.ts";
import { pixelFrames } from "../../inference/clips/clip_files.ts";
import { asksForClip } from "../../inference/clips/clip_params.ts";
import { formatFile } from "../../inference/wanted_file.ts";
import { GenerateRequest } from "../../schema/generate.ts";
import { defineTool, imageContent, type Tool, type ToolUse } from "./tool.ts";
import type { WireEvent } from "../../http/call.ts";

/** The options without those that only streams and long JSON support. */
const { preview: _preview, logprobs: _logprobs, ...options } =
  GenerateRequest.entries;

const Input = v.object(options);

const SIDES = { height: v.number(), width: v.number() };

const Output = v.object({
  model: v.string(),
  seed: v.pipe(v.number(), v.description("Seed that reproduces the images.")),
  strategy: v.string(),
  lossless: v.boolean(),
  images: v.array(v.object(SIDES)),
  clips: v.optional(
    v.array(v.object({ ...SIDES, frames: v.number(), fps: v.number() })),
  ),
});

/** Returns the tool that generates pictures and clips. */
export function generateImage(generators: ImageGenerators): Tool {
  return defineTool({
    name: "generate_image",
    function: "generate",
    title: "Generate an image",
    description:
      "Generates one or more images from a prompt with Emu3, or animations if frames is above 1. Returns the images and the seed.",
    input: Input,
    output: Output,
    run: async (args, use) => {
      const fields = { ...args, preview: false, logprobs: 0 };
      const wanted = { ...shownFile(args), preview: false };
      const rows: RowCount = { drawn: 0, total: 0 };
      const observer = {
        ...use.call.observer,
        event: (event: WireEvent) => sendProgress(event, rows, use),
      };
      const call = { ...use.call, observer };
      const request = await readyRequest(fields, generators, call);
      const run = startGeneration(generators, request, wanted, call);
      rows.total = rowsToDraw(run);
      const { pictures, clips } = await run.finish();
      const { params, models } = run.task;
      return {
        pictures: [...pictures, ...clips].map(({ file }) =>
          imageContent(file!.bytes, file!.type)
        ),
        fields: {
          model: answeredName(models, params.adapter),
          seed: params.seed,
          strategy: params.strategy.name,
          lossless: isLossless(params.strategy),
          images: pictures.map(({ file }) => sidesOf(file!)),
          ...(params.clip && {
            clips: clips.map(({ codes, file }) => ({
              ...sidesOf(file!),
              frames: pixelFrames(codes, models.vision),
              fps: params.clip!.fps,
            })),
          }),
        },
      };
    },
  });
}

/**
 * Returns the file of an answer: clients show pictures alone, and GIF more often
 * than APNG.
 */
function shownFile(args: v.InferOutput<typeof Input>) {
  const { output_format: format } = args;
  if (!asksForClip(args)) return formatFile(args);
  if (format === "mp4" || format === "zip") {
    throw invalidField("/output_format", "expected gif or apng");
  }
  return formatFile({ ...args, "output_format": format ?? "gif" });
}

function sidesOf({ height, width }: PixelSize): PixelSize {
  return { height, width };
}

interface RowCount {
  drawn: number;
  total: number;
}

/** Returns the rows to draw of all pictures, without those that were given. */
function rowsToDraw({ task: { params } }: GenerationRun): number {
  return params.count * (params.size.height - (params.prefix?.height ?? 0));
}

/**
 * Reports progress.
 *
 * @param rows Rows drawn so far, by picture; overwritten.
 */
function sendProgress(
  { event }: WireEvent,
  rows: RowCount,
  { onProgress }: ToolUse,
): void {
  const { total } = rows;
  switch (event) {
    case "started":
      onProgress({ progress: 0, total, message: "started" });
      break;
    case "row": {
      const progress = ++rows.drawn;
      const message = `${progress} of ${total} rows generated`;
      onProgress({ progress, total, message });
    }
  }
}
