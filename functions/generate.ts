/**
 * `POST /v1/generate`: text → picture.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import {
  BINARY_TYPES,
  binaryAnswer,
  type BinaryType,
} from "./http/raw_codes.ts";
import { readJson } from "./http/body.ts";
import type { AppEnv } from "./http/context.ts";
import { generateDescription } from "./openapi/description/generate.ts";
import type { Generation } from "./inference/generation_events.ts";
import { generationFields } from "./inference/generation_fields.ts";
import { type GenerationRun, startGeneration } from "./inference/generation.ts";
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
      switch (type) {
        case "text/event-stream":
          return await eventStream(c, run.events);
        case "application/json":
          return await jsonAnswer(c, run);
        case "image/png":
        case "image/jpeg":
        case "image/webp":
          return await fileAnswer(c, run);
        default:
          return await codesAnswer(c, run, type);
      }
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

async function jsonAnswer(
  c: Context<AppEnv>,
  run: GenerationRun,
): Promise<Response> {
  const generation = await run.finish();
  return c.json(generationFields(run, generation), 200, {
    "server-timing": serverTiming(generation.timings),
  });
}

async function fileAnswer(
  c: Context<AppEnv>,
  run: GenerationRun,
): Promise<Response> {
  const generation = await run.finish();
  const [picture] = generation.pictures;
  const { bytes, type } = picture!.file!;
  return c.body(bytes, 200, {
    "content-type": type,
    "x-grid-height": `${picture!.grid.height}`,
    "x-grid-width": `${picture!.grid.width}`,
    ...answerHeaders(run, generation),
  });
}

/** Answers with one grid, or all of them in sequence: `[n, H, W]`. */
async function codesAnswer(
  c: Context<AppEnv>,
  run: GenerationRun,
  type: BinaryType,
): Promise<Response> {
  const generation = await run.finish();
  const { size, count } = run.task.params;
  const codes = Uint16Array.from(
    generation.pictures.flatMap(({ grid }) => [...grid.codes]),
  );
  const grids = { height: size.height, width: size.width, codes };
  const { body, headers } = binaryAnswer(
    count === 1 ? grids : { ...grids, frames: count },
    type,
  );
  return c.body(body, 200, {
    ...headers,
    ...answerHeaders(run, generation),
  });
}

function answerHeaders({ task }: GenerationRun, { timings }: Generation) {
  return {
    "x-seed": `${task.params.seed}`,
    "server-timing": serverTiming(timings),
  };
}
