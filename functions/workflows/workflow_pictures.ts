/**
 * The pictures of a workflow: codes of its steps, decoded by the server's own
 * vision tokenizer, since workflows hold codes only.
 *
 * @module
 */

import type { Context } from "hono";
import type { Grid } from "../../deploy/workflows/schema/codes.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { RgbImage } from "../../lib/image/image.ts";
import { resizeBicubic } from "../../lib/image/resize.ts";
import { negotiate } from "../http/accept.ts";
import type { Call } from "../http/call.ts";
import { parseFields } from "../http/body.ts";
import type { AppEnv } from "../http/context.ts";
import { UnknownWorkflowError } from "../http/errors/workflow_errors.ts";
import { gridFromFields } from "../http/grid_json.ts";
import { serverTiming, Stopwatch } from "../http/server_timing.ts";
import { checkGridSize } from "../inference/image_limit.ts";
import { acquirePicture, encodeFile } from "../inference/render.ts";
import type { Tokenizers, VisionModel } from "../models/ports.ts";
import { Grid as GridField } from "../schema/common.ts";
import type { WorkflowIngress, WorkflowName } from "./ingress.ts";

/** Types of answers with codes, the default first. */
const CODE_TYPES = [
  "application/json",
  "image/png",
  "image/jpeg",
  "image/webp",
] as const;

/** Headers of codes and pictures, which stay the same. */
const UNCHANGING = {
  "cache-control": "private, max-age=3600",
  vary: "accept, authorization",
} as const;

/** Longest name of codes. */
const MAX_NAME = 256;

/** Longest side of a thumbnail in pixels, and its quality as JPEG. */
const THUMBNAIL_SIDE = 240;
const THUMBNAIL_QUALITY = 80;

/** A thumbnail as a file. */
export interface Thumbnail {
  /** Bytes of the JPEG. */
  readonly bytes: Uint8Array;
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
}

/** Answers with the codes of a workflow named `name`, or their picture. */
export async function gridResponse(
  c: Context<AppEnv>,
  ingress: WorkflowIngress,
  tokenizers: Tokenizers,
  { workflow, name }: {
    readonly workflow: WorkflowName;
    readonly name: string;
  },
): Promise<Response> {
  const type = negotiate(c.req.header("accept"), CODE_TYPES);
  const call = c.get("call");
  const field = await codesOf(ingress, workflow, name, call.signal);
  if (type === "application/json") return c.json(field, 200, UNCHANGING);
  const vision = tokenizers.vision(c.req.query("model"));
  const grid = checkedGrid(field, vision, tokenizers);
  using _share = await acquirePicture(tokenizers, grid, vision, { call });
  const watch = new Stopwatch();
  const image = await watch.run(() =>
    vision.decode(grid, call.signal, call.caller)
  );
  const timings = { "vision_s": watch.milliseconds / 1000 };
  call.observer?.finished?.({
    tokens: grid.codes.length,
    timed: { model: vision.checkpoint.name, timings },
  });
  const bytes = await encodeFile(tokenizers, image, { type }, call);
  return c.body(new Uint8Array(bytes), 200, {
    ...UNCHANGING,
    "content-type": type,
    "server-timing": serverTiming(timings),
  });
}

/** Returns the thumbnail of the codes of a workflow named `name`. */
export async function thumbnailOf(
  ingress: WorkflowIngress,
  tokenizers: Tokenizers,
  { workflow, name, vision, call }: {
    readonly workflow: WorkflowName;
    readonly name: string;
    readonly vision: VisionModel;
    readonly call: Call;
  },
): Promise<Thumbnail> {
  const field = await codesOf(ingress, workflow, name, call.signal);
  const grid = checkedGrid(field, vision, tokenizers);
  using _share = await acquirePicture(tokenizers, grid, vision, { call });
  const image = await vision.decode(grid, call.signal, call.caller);
  const small = shrunk(image);
  const { height, width } = small;
  const options = { type: "image/jpeg", quality: THUMBNAIL_QUALITY } as const;
  return {
    bytes: await encodeFile(tokenizers, small, options, call),
    height,
    width,
  };
}

/** @throws {UnknownWorkflowError} If there are no codes of this name. */
async function codesOf(
  ingress: WorkflowIngress,
  workflow: WorkflowName,
  name: string,
  signal: AbortSignal,
): Promise<Grid> {
  const grid = name.length > MAX_NAME
    ? undefined
    : await ingress.grid(workflow, name, signal);
  if (grid !== undefined) return grid;
  throw new UnknownWorkflowError(
    "Cannot find codes: the workflow does not exist, or has drawn none of this name; steps name theirs in grid",
  );
}

function checkedGrid(
  field: Grid,
  vision: VisionModel,
  tokenizers: Tokenizers,
): CodeGrid {
  const { codebookSize } = vision;
  const parsed = parseFields(GridField, field);
  const grid = gridFromFields(parsed, "/grid", codebookSize);
  checkGridSize(grid, vision, tokenizers.limits);
  return grid;
}

/** Returns `image` within the sides of a thumbnail. */
function shrunk(image: RgbImage): RgbImage {
  const { height, width } = image;
  const scale = THUMBNAIL_SIDE / Math.max(height, width);
  if (scale >= 1) return image;
  const scaled = (side: number) => Math.max(1, Math.round(side * scale));
  return resizeBicubic(image, { height: scaled(height), width: scaled(width) });
}
