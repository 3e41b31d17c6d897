/**
 * `POST /v1/generate`: text → picture.
 *
 * @module
 */

import { Hono } from "hono";
import type { GenerationParams } from "../lib/emu3.ts";
import {
  BINARY_TYPES,
  type BinaryAnswer,
  binaryAnswer,
  type BinaryType,
  isBinaryType,
} from "./http/raw_codes.ts";
import { readJson } from "./http/body.ts";
import type { AppEnv } from "./http/context.ts";
import { generateDescription } from "./openapi/description/generate.ts";
import type { Generation } from "./inference/generation_events.ts";
import { generationFields } from "./inference/generation_fields.ts";
import { startGeneration } from "./inference/generation.ts";
import { eventStream } from "./http/sse.ts";
import { negotiate } from "./http/accept.ts";
import type { ImageGenerators } from "./models/ports.ts";
import { invalidField } from "./http/errors/errors.ts";
import {
  FILE_TYPES,
  type FileFormat,
  type FileType,
} from "./inference/render.ts";
import { GenerateRequest } from "./schema/generate.ts";
import { serverTiming } from "./http/server_timing.ts";

/** Types of answers, the default first. */
const TYPES = [
  "application/json",
  "image/png",
  "image/jpeg",
  "image/webp",
  "text/event-stream",
  ...BINARY_TYPES,
] as const;

/** Returns the route, ready to mount. */
export function generate(generators: ImageGenerators): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/generate",
    generateDescription,
    async (c) => {
      const type = negotiate(c.req.header("accept"), TYPES);
      const request = await readJson(
        c.req.raw,
        GenerateRequest,
        generators.limits.maxBodyBytes,
      );
      const file = fileType(type, request.output_format);
      if (file === type && request.n > 1) {
        throw invalidField("/n", `expected 1: ${type} contains a single image`);
      }
      // The events of a job are streamed by other routes.
      const streams = type === "text/event-stream" ||
        c.get("call").observer?.event !== undefined;
      const preview = request.preview && streams;
      const wanted = { file, preview };
      const run = startGeneration(generators, request, wanted, c.get("call"));
      if (type === "text/event-stream") return await eventStream(c, run.events);
      const generation = await run.finish();
      const headers = {
        "server-timing": serverTiming(generation.timings),
      };
      if (type === "application/json") {
        return c.json(generationFields(run, generation), 200, headers);
      }
      const { params } = run.task;
      const bare = bareAnswer(generation, params, type);
      const seed = { "x-seed": `${params.seed}` };
      return c.body(bare.body, 200, { ...bare.headers, ...seed, ...headers });
    },
  );
}

/**
 * Returns the type of the file; undefined for codes, which are not decoded.
 *
 * @param format Format in the body; the accepted type decides for a bare file.
 * @throws {InvalidFieldsError} If the two differ.
 */
function fileType(
  type: typeof TYPES[number],
  format: FileFormat | undefined,
): FileType | undefined {
  switch (type) {
    case "application/json":
    case "text/event-stream":
      return FILE_TYPES[format ?? "png"];
    case "image/png":
    case "image/jpeg":
    case "image/webp":
      if (format !== undefined && FILE_TYPES[format] !== type) {
        throw invalidField(
          "/output_format",
          `it contradicts the Accept header, ${type}`,
        );
      }
      return type;
    default:
      return undefined;
  }
}

/** Returns a file, or the codes of one grid or of several: `[n, H, W]`. */
function bareAnswer(
  { pictures }: Generation,
  { size: { height, width }, count }: GenerationParams,
  type: FileType | BinaryType,
): BinaryAnswer {
  if (isBinaryType(type)) {
    const codes = Uint16Array.from(
      pictures.flatMap(({ grid }) => [...grid.codes]),
    );
    const grid = { height, width, codes };
    return binaryAnswer(count === 1 ? grid : { ...grid, frames: count }, type);
  }
  const headers = {
    "content-type": type,
    "x-grid-height": `${height}`,
    "x-grid-width": `${width}`,
  };
  return { body: pictures[0]!.file!.bytes, headers };
}
