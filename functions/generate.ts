/**
 * `POST /v1/generate`: text → picture or clip.
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
  PER_CODE_HEADER,
} from "./http/raw_codes.ts";
import { readJson } from "./http/body.ts";
import type { AppEnv } from "./http/context.ts";
import { generateDescription } from "./openapi/description/generate.ts";
import type { Generation } from "./inference/generation_events.ts";
import type { WantedFile } from "./inference/generation_task.ts";
import { generationFields } from "./inference/generation_fields.ts";
import { startGeneration } from "./inference/generation.ts";
import { eventStream } from "./http/sse.ts";
import { acceptedTypes } from "./http/accept.ts";
import type { ImageGenerators } from "./models/ports.ts";
import { invalidField, NotAcceptableError } from "./http/errors/errors.ts";
import {
  CLIP_TYPES,
  type ClipType,
  clipTypes,
  isClipType,
} from "./inference/clips/clip_files.ts";
import { readyRequest } from "./inference/clips/clip_context.ts";
import { asksForClip } from "./inference/clips/clip_params.ts";
import { FILE_TYPES, type FileType } from "./inference/render.ts";
import { formatFile } from "./inference/wanted_file.ts";
import { GenerateRequest } from "./schema/generate.ts";
import { serverTiming } from "./http/server_timing.ts";

/** Types of answers, the default first; those of clips come after them. */
const TYPES = [
  "application/json",
  "image/png",
  "image/jpeg",
  "image/webp",
  "text/event-stream",
  ...BINARY_TYPES,
] as const;

type AnswerType = typeof TYPES[number] | ClipType;

/** Returns the route, ready to mount. */
export function generate(generators: ImageGenerators): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/generate",
    generateDescription(generators.encodeVideo !== undefined),
    async (c) => {
      const accept = c.req.header("accept");
      // Checked before the body is read, which decides between them.
      const types = acceptedTypes(accept, [...TYPES, ...clipTypes(generators)]);
      const body = await readJson(
        c.req.raw,
        GenerateRequest,
        generators.limits.maxBodyBytes,
      );
      const type = answerType(types, body);
      const bare = type !== "application/json" && type !== "text/event-stream";
      const single = asksForClip(body) || !isBinaryType(type);
      if (bare && single && body.n > 1) {
        throw invalidField("/n", `expected 1: ${type} contains a single image`);
      }
      const call = c.get("call");
      // The events of a job are streamed by other routes.
      const streams = type === "text/event-stream" ||
        call.observer?.event !== undefined;
      const preview = body.preview && streams;
      const wanted = { ...wantedFile(type, body), preview };
      const request = await readyRequest(body, generators, call);
      const run = startGeneration(generators, request, wanted, call);
      if (type === "text/event-stream") return await eventStream(c, run.events);
      const generation = await run.finish();
      const headers = {
        "server-timing": serverTiming(generation.timings),
      };
      if (type === "application/json") {
        return c.json(generationFields(run, generation), 200, headers);
      }
      const { params } = run.task;
      const file = bareAnswer(generation, params, type);
      const seed = { "x-seed": `${params.seed}` };
      return c.body(file.body, 200, { ...file.headers, ...seed, ...headers });
    },
  );
}

/**
 * Returns the first accepted type that the request can have.
 *
 * @throws {NotAcceptableError} If only files of the other kind are accepted.
 */
function answerType(
  types: readonly AnswerType[],
  request: GenerateRequest,
): AnswerType {
  const possible = asksForClip(request)
    ? (type: AnswerType) => !isPictureType(type)
    : (type: AnswerType) => !isClipType(type);
  const type = types.find(possible);
  if (type === undefined) {
    throw new NotAcceptableError(
      [...TYPES, ...Object.values(CLIP_TYPES)].filter(possible),
    );
  }
  return type;
}

function isPictureType(type: AnswerType): type is FileType {
  return Object.values(FILE_TYPES).some((picture) => picture === type);
}

/**
 * Returns the file to make: none for codes, which are not decoded.
 *
 * @throws {InvalidFieldsError} If the format in the body is not the accepted
 * type of a bare file.
 */
function wantedFile(
  type: AnswerType,
  request: GenerateRequest,
): Pick<WantedFile, "file" | "clipType"> {
  if (isBinaryType(type)) return { file: undefined };
  const { output_format: format } = request;
  if (type === "application/json" || type === "text/event-stream") {
    return formatFile(request);
  }
  const wanted = isClipType(type)
    ? { file: undefined, clipType: type }
    : { file: type };
  if (format !== undefined) {
    const { file, clipType } = formatFile(request);
    if (file !== wanted.file || clipType !== wanted.clipType) {
      throw invalidField(
        "/output_format",
        `it contradicts the Accept header, ${type}`,
      );
    }
  }
  return wanted;
}

/**
 * Returns a file, or the codes of one grid, of several: `[n, H, W]`, or of a
 * clip: `[T, H, W]`.
 */
function bareAnswer(
  { pictures, clips: [clip] }: Generation,
  { size: { height, width }, count }: GenerationParams,
  type: FileType | ClipType | BinaryType,
): BinaryAnswer {
  if (clip !== undefined) {
    if (isBinaryType(type)) return binaryAnswer(clip.codes, type);
    const { frames, height, width, framesPerCode } = clip.codes;
    const headers = {
      "content-type": type,
      "x-grid-frames": `${frames}`,
      "x-grid-height": `${height}`,
      "x-grid-width": `${width}`,
      ...(framesPerCode !== undefined && {
        [PER_CODE_HEADER]: `${framesPerCode}`,
      }),
    };
    return { body: clip.file!.bytes, headers };
  }
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
