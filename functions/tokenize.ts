/**
 * `POST /v1/tokenize`: pictures and clips → codes, text and prompts → tokens.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { STRATEGY_OF_SEVERAL } from "../lib/drawing/strategy.ts";
import { drawingTokens, questionTokens } from "../lib/emu3.ts";
import type { PixelSize, RgbImage } from "../lib/vision/image.ts";
import { checkAdapter } from "./adapters.ts";
import { BINARY_TYPES, binaryAnswer } from "./binary_grid.ts";
import type { AppEnv } from "./context.ts";
import { askedIn, tagHeaders } from "./entity_tag.ts";
import { tokenizeDescription } from "./description/tokenize.ts";
import { clipFields, type Codes, gridFields, isClip } from "./grid_fields.ts";
import { negotiate } from "./negotiate.ts";
import type { Tokenizers, VisionModel } from "./ports.ts";
import { fit, type Prepared } from "./prepare.ts";
import { checkOneWay, questionGrids } from "./question_pictures.ts";
import { invalidField } from "./refusals.ts";
import { sceneFrom } from "./scene.ts";
import { MAX_PICTURES } from "./schema/caption.ts";
import { MAX_FRAMES, TokenizeRequest } from "./schema/tokenize.ts";
import { serverTiming, Stopwatch } from "./timings.ts";
import { type TokenizeKind, tokenizeKind } from "./tokenize_kinds.ts";
import { pictureBytes, readUpload, type Upload } from "./upload.ts";

/** What answers may be, the default first. */
const JSON_ONLY = ["application/json"] as const;
const CODE_TYPES = [...JSON_ONLY, ...BINARY_TYPES] as const;

type Body = Upload<TokenizeRequest>;

/** The route, ready to mount. */
export function tokenize(tokenizers: Tokenizers): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/tokenize",
    tokenizeDescription,
    async (c) => {
      const accept = c.req.header("accept");
      // Before the body is read: this much is the same for every kind.
      negotiate(accept, CODE_TYPES);
      const upload = await readUpload(c.req.raw, TokenizeRequest, {
        maxBytes: tokenizers.limits.maxBodyBytes,
        files: { image: MAX_PICTURES, frames: MAX_FRAMES },
        codes: false,
      });
      const kind = tokenizeKind(upload);
      if (kind === "image" || kind === "frames") {
        return await codesAnswer(c, tokenizers, upload, kind);
      }
      negotiate(accept, JSON_ONLY);
      const name = upload.fields.model ?? upload.fields.prompt?.model;
      const models = [(await tokenizers.text(name)).name];
      if (kind !== "text") models.push(tokenizers.vision(name).checkpoint.name);
      const tag = tagOf(c, tokenizers, upload, models);
      return c.json(await tokensOf(c, tokenizers, upload, kind), 200, tag);
    },
  );
}

/** Nothing here is left to chance. */
function tagOf(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  upload: Body,
  models: readonly string[],
): Record<string, string> {
  return tagHeaders(c, tokenizers, {
    type: negotiate(c.req.header("accept"), CODE_TYPES),
    models,
    asked: askedIn(c.req.raw, upload),
    weak: false,
  });
}

async function tokensOf(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  upload: Body,
  kind: Exclude<TokenizeKind, "image" | "frames">,
) {
  switch (kind) {
    case "text":
      return await textTokens(tokenizers, upload);
    case "prompt":
      return await promptTokens(tokenizers, upload);
    case "question":
      return await askedTokens(c, tokenizers, upload);
  }
}

async function codesAnswer(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  upload: Body,
  kind: "image" | "frames",
): Promise<Response> {
  const vision = tokenizers.vision(upload.fields.model);
  const tag = tagOf(c, tokenizers, upload, [vision.checkpoint.name]);
  const frames = await decoded(tokenizers, upload, kind, c.var.call.signal);
  const { decode = "display", resize = "smart", pad } = upload.fields;
  const prepared = await fit(tokenizers, frames, vision, { decode, resize });
  const watch = new Stopwatch();
  const codes = await watch.run(() =>
    kind === "image" && prepared.length === 1
      ? vision.encode(prepared[0]!.image, c.var.call.signal)
      : encodeClip(prepared, vision, pad, c.var.call.signal)
  );
  c.var.call.note?.(codes.codes.length);
  const timings = { "vision_s": watch.milliseconds / 1000 };
  c.var.call.timed?.(vision.checkpoint.name, timings);
  const timing = serverTiming(timings);
  const type = negotiate(c.req.header("accept"), CODE_TYPES);
  if (type === "application/json") {
    const body = codesFields(codes, prepared[0]!, vision);
    return c.json(body, 200, { "server-timing": timing, ...tag });
  }
  const { body, headers } = binaryAnswer(codes, type);
  return c.body(body, 200, { ...headers, "server-timing": timing, ...tag });
}

/** All pictures of the body; several for a clip. */
async function decoded(
  tokenizers: Tokenizers,
  { fields, files }: Body,
  kind: "image" | "frames",
  signal: AbortSignal,
): Promise<RgbImage[]> {
  const { codec, limits } = tokenizers;
  const { decode = "display" } = fields;
  const { maxPixels } = limits;
  if (kind === "image") {
    const [bytes, second] = fields.image === undefined ? files.get("image")! : [
      await pictureBytes(tokenizers, fields.image, "/image", signal),
      ...files.get("image") ?? [],
    ];
    if (second !== undefined) {
      throw invalidField("/image", "expected one; a clip's go into frames");
    }
    return await codec.decodeFrames(bytes!, { decode, maxPixels });
  }
  const texts = await Promise.all(
    (fields.frames ?? []).map((text, i) =>
      pictureBytes(tokenizers, text, `/frames/${i}`, signal)
    ),
  );
  const images: RgbImage[] = [];
  let left = maxPixels;
  for (const bytes of [...texts, ...files.get("frames") ?? []]) {
    const image = await codec.decodeImage(bytes, { decode, maxPixels: left });
    left -= image.height * image.width;
    images.push(image);
  }
  return images;
}

async function encodeClip(
  prepared: readonly Prepared[],
  vision: VisionModel,
  pad: TokenizeRequest["pad"],
  signal: AbortSignal,
): Promise<Codes> {
  const frames = prepared.map(({ image }) => image);
  const { framesPerCode } = vision;
  const missing = (framesPerCode - frames.length % framesPerCode) %
    framesPerCode;
  if (missing > 0 && pad === undefined) {
    throw invalidField(
      "/frames",
      `${frames.length} frames are not a multiple of ${framesPerCode}: send other ones, or "pad": "repeat"`,
    );
  }
  frames.push(...Array.from({ length: missing }, () => frames.at(-1)!));
  return await vision.encodeClip(frames, signal);
}

function codesFields(
  codes: Codes,
  { image, source }: Prepared,
  { checkpoint }: VisionModel,
) {
  return {
    model: checkpoint.name,
    ...(isClip(codes)
      ? { clip: clipFields(codes) }
      : { grid: gridFields(codes) }),
    source: sides(source),
    resized: sides(image),
  };
}

function sides({ height, width }: PixelSize): PixelSize {
  return { height, width };
}

async function textTokens(tokenizers: Tokenizers, { fields }: Body) {
  const { name, text } = await tokenizers.text(fields.model);
  const { special = false } = fields;
  const tokens = await text.encode(fields.text!, { special });
  return { model: name, tokens: [...tokens], count: tokens.length };
}

async function promptTokens(tokenizers: Tokenizers, { fields }: Body) {
  const name = fields.model ?? fields.prompt!.model;
  const vision = tokenizers.vision(name);
  const language = await tokenizers.text(name);
  checkAdapter(fields.prompt!.adapter);
  // Prompts are the same for every strategy.
  const models = { language, vision, strategy: () => STRATEGY_OF_SEVERAL };
  const scene = sceneFrom(fields.prompt!, models, "/prompt");
  const { tokens, unconditional } = await drawingTokens(language, scene);
  return {
    model: language.name,
    tokens: [...tokens],
    count: tokens.length,
    ...(unconditional && { unconditional: [...unconditional] }),
  };
}

async function askedTokens(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  upload: Body,
) {
  checkOneWay(upload);
  const { fields } = upload;
  const { decode = "display" } = fields;
  const vision = tokenizers.vision(fields.model);
  const language = await tokenizers.text(fields.model);
  const grids = await questionGrids(c.req.raw, upload, vision, tokenizers, {
    decode,
    signal: c.var.call.signal,
  });
  const tokens = await questionTokens(language, {
    grids,
    question: fields.question!,
    template: fields.template ?? language.generation.template,
  });
  return { model: language.name, tokens: [...tokens], count: tokens.length };
}
