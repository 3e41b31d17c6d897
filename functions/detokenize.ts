/**
 * `POST /v1/detokenize`: codes → pictures and clips, tokens → text and codes.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { CodeClip, CodeGrid } from "../lib/grid.ts";
import { parseMixed } from "../lib/mixed_sequence.ts";
import {
  isBinaryType,
  PER_CODE_HEADER,
  readBinaryCodes,
} from "./http/raw_codes.ts";
import { isJson, mediaType, parseFields, readBytes } from "./http/body.ts";
import type { AppEnv } from "./http/context.ts";
import { detokenizeDescription } from "./openapi/description/detokenize.ts";
import {
  clipFromFields,
  type Codes,
  gridFields,
  gridFromFields,
  isClip,
  stillsOf,
} from "./http/grid_json.ts";
import { parseJson } from "./http/json.ts";
import { negotiate } from "./http/accept.ts";
import { checkGridSize } from "./inference/image_limit.ts";
import {
  checkClipSize,
  clipFile,
  clipTypes,
  FRAMES_PER_SECOND,
  pixelShape,
} from "./inference/clips/clip_files.ts";
import type { Tokenizers, VisionModel } from "./models/ports.ts";
import { queryOf, textFields, withQuery } from "./http/query_fields.ts";
import {
  invalidField,
  InvalidFieldsError,
  MediaTypeError,
} from "./http/errors/errors.ts";
import { acquireClip, acquirePicture, encodeFile } from "./inference/render.ts";
import type { DetokenizeAnswer } from "./schema/answers/codes.ts";
import { BesideBytes, DetokenizeRequest } from "./schema/detokenize.ts";
import { serverTiming, Stopwatch } from "./http/server_timing.ts";

/** Types of answers, the default first. */
const PICTURE_TYPES = [
  "image/png",
  "image/jpeg",
  "image/webp",
  "application/json",
] as const;
const MIXED_TYPES = ["application/json"] as const;

/** Returns the route, ready to mount. */
export function detokenize(tokenizers: Tokenizers): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/detokenize",
    detokenizeDescription(tokenizers.encodeVideo !== undefined),
    async (c) => {
      const type = mediaType(c.req.raw);
      if (isBinaryType(type)) return await fromBytes(c, tokenizers, type);
      if (type !== "" && !isJson(type)) {
        throw new MediaTypeError(
          "its Content-Type is not supported; set it to application/json, application/octet-stream or application/x-npy",
        );
      }
      const bytes = await readBytes(c.req.raw, tokenizers.limits.maxBodyBytes);
      const query = textFields(queryOf(c.req.raw), DetokenizeRequest);
      const body = parseFields(
        DetokenizeRequest,
        withQuery(await parseJson(bytes), query),
      );
      checkOneKind(body);
      if (body.tokens !== undefined) {
        return await mixedAnswer(c, tokenizers, body);
      }
      const vision = tokenizers.vision(body.model);
      const codes = body.grid === undefined
        ? clipFromFields(body.clip!, "/clip", vision)
        : gridFromFields(body.grid, "/grid", vision.codebookSize);
      return await pixelsAnswer(
        c,
        tokenizers,
        { vision, fps: body.fps },
        codes,
      );
    },
  );
}

async function fromBytes(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  type: Parameters<typeof readBinaryCodes>[1],
): Promise<Response> {
  const request = c.req.raw;
  const { headers } = request;
  const header = headers.get(PER_CODE_HEADER);
  const stated = header === null ? {} : { "frames_per_code": Number(header) };
  const query = textFields(queryOf(request), BesideBytes);
  const { model, fps, frames_per_code: framesPerCode } = parseFields(
    BesideBytes,
    { ...stated, ...query },
  );
  const vision = tokenizers.vision(model);
  const bytes = await readBytes(request, tokenizers.limits.maxBodyBytes);
  const codes = readBinaryCodes(
    bytes,
    type,
    headers,
    vision.codebookSize,
  );
  const stills = isClip(codes) &&
    stillsOf(framesPerCode, vision.framesPerCode, "/frames_per_code");
  const options = { vision, fps };
  return await pixelsAnswer(c, tokenizers, options, { ...codes, ...stills });
}

function checkOneKind({ grid, clip, tokens }: DetokenizeRequest): void {
  const kinds = [grid, clip, tokens].filter((kind) => kind !== undefined);
  if (kinds.length === 1) return;
  throw new InvalidFieldsError([{
    pointer: "",
    detail: "expected exactly one of grid, clip and tokens",
  }]);
}

/** Options of an answer in pixels. */
interface PixelOptions {
  readonly vision: VisionModel;
  /** Rate of a clip's file. */
  readonly fps: number | undefined;
}

async function pixelsAnswer(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  options: PixelOptions,
  codes: Codes,
): Promise<Response> {
  const { vision, fps } = options;
  checkGridSize(codes, vision, tokenizers.limits);
  if (isClip(codes)) return await clipAnswer(c, tokenizers, options, codes);
  if (fps !== undefined) {
    throw invalidField("/fps", "omit it: a grid is a still");
  }
  return await pictureAnswer(c, tokenizers, vision, codes);
}

async function pictureAnswer(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  vision: VisionModel,
  grid: CodeGrid,
): Promise<Response> {
  const call = c.get("call");
  const type = negotiate(c.req.header("accept"), PICTURE_TYPES);
  using _share = await acquirePicture(tokenizers, grid, vision, { call });
  const watch = new Stopwatch();
  const image = await watch.run(() =>
    vision.decode(grid, call.signal, call.caller)
  );
  const headers = timingHeader(c, vision, watch, grid);
  const options = { type: type === "application/json" ? "image/png" : type };
  const bytes = await encodeFile(tokenizers, image, options, call);
  if (type !== "application/json") return file(c, bytes, type, headers);
  const { height, width } = image;
  const { name: model } = vision.checkpoint;
  const body: DetokenizeAnswer = { model, ...png(bytes), height, width };
  return c.json(body, 200, headers);
}

async function clipAnswer(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  { vision, fps = FRAMES_PER_SECOND }: PixelOptions,
  clip: CodeClip,
): Promise<Response> {
  const types = [...clipTypes(tokenizers), "application/json"] as const;
  const type = negotiate(c.req.header("accept"), types);
  checkClipSize(clip, vision, tokenizers);
  const call = c.get("call");
  using _share = await acquireClip(tokenizers, clip, vision, call);
  const watch = new Stopwatch();
  const frames = watch.arrivals(
    vision.decodeClip(clip, call.signal, call.caller),
  );
  const shape = pixelShape(clip, vision);
  if (type !== "application/json") {
    const options = { type, framesPerSecond: fps, ...shape };
    const bytes = await clipFile(tokenizers, frames, options, call);
    return file(c, bytes, type, timingHeader(c, vision, watch, clip));
  }
  const { height, width } = shape;
  const body: DetokenizeAnswer = {
    model: vision.checkpoint.name,
    frames: await Array.fromAsync(
      frames,
      async (frame) => png(await tokenizers.codec.encodePng(frame, {}, call)),
    ),
    height,
    width,
  };
  return c.json(body, 200, timingHeader(c, vision, watch, clip));
}

async function mixedAnswer(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  body: DetokenizeRequest,
): Promise<Response> {
  negotiate(c.req.header("accept"), MIXED_TYPES);
  const model = await tokenizers.text(body.model);
  const { size } = model.vocabulary;
  const tokens = Int32Array.from(body.tokens!);
  const bad = tokens.findIndex((token) => token >= size);
  if (bad !== -1) {
    throw invalidField(`/tokens/${bad}`, `expected a token below ${size}`);
  }
  const parts = parseMixed(tokens, model);
  c.get("call").observer?.finished?.({ tokens: tokens.length });
  const answer: DetokenizeAnswer = {
    model: model.name,
    parts: parts.map((part) =>
      part.type === "text" ? part : { ...part, grid: gridFields(part.grid) }
    ),
    text: parts.map((part) => part.type === "text" ? part.text : "").join(""),
  };
  return c.json(answer);
}

function png(bytes: Uint8Array) {
  return { "b64_json": bytes.toBase64(), "mime_type": "image/png" } as const;
}

function file(
  c: Context<AppEnv>,
  bytes: Uint8Array,
  type: string,
  headers: Record<string, string>,
): Response {
  return c.body(new Uint8Array(bytes), 200, {
    "content-type": type,
    ...headers,
  });
}

function timingHeader(
  c: Context<AppEnv>,
  { checkpoint }: VisionModel,
  watch: Stopwatch,
  { codes }: Codes,
): Record<string, string> {
  const timings = { "vision_s": watch.milliseconds / 1000 };
  c.get("call").observer?.finished?.({
    tokens: codes.length,
    timed: { model: checkpoint.name, timings },
  });
  return { "server-timing": serverTiming(timings) };
}
