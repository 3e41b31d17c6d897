/**
 * `POST /v1/tokenize`: pictures and clips → codes, text and prompts → tokens.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { drawingTokens } from "../lib/drawing_prompt.ts";
import { questionTokens } from "../lib/emu3.ts";
import { writerFor } from "../lib/prompt.ts";
import { readHeader } from "../lib/image/header.ts";
import type { PixelSize } from "../lib/image/image.ts";
import { chosenAdapter } from "./inference/adapters.ts";
import { BINARY_TYPES, binaryAnswer } from "./http/raw_codes.ts";
import type { Call } from "./http/call.ts";
import type { AppEnv } from "./http/context.ts";
import { tokenizeDescription } from "./openapi/description/tokenize.ts";
import {
  clipFields,
  type Codes,
  gridFields,
  isClip,
  stillsOf,
} from "./http/grid_json.ts";
import { acceptedTypes } from "./http/accept.ts";
import type { Tokenizers, VisionModel } from "./models/ports.ts";
import { preparePicture } from "./inference/encode_image.ts";
import type { PictureCall } from "./inference/pixel_budget.ts";
import { checkFrameCount, frameLimit } from "./inference/frame_limit.ts";
import { encodeClip, type EncodedClip } from "./inference/clips/encode_clip.ts";
import { checkOneWay, questionGrids } from "./inference/image_inputs.ts";
import { checkNoVideoFields, isVideo } from "./inference/video/video_input.ts";
import { invalidField, NotAcceptableError } from "./http/errors/errors.ts";
import { generationParams } from "./inference/generation_params.ts";
import { MAX_PICTURES } from "./schema/caption.ts";
import type { TokenizeAnswer } from "./schema/answers/codes.ts";
import { TokenizeRequest } from "./schema/tokenize.ts";
import { serverTiming, Stopwatch } from "./http/server_timing.ts";
import { type TokenizeKind, tokenizeKind } from "./schema/tokenize_kinds.ts";
import {
  listBytes,
  pictureBytes,
  type PictureUse,
  readUpload,
  type Upload,
} from "./http/upload.ts";

/** Types of answers, the default first. */
const JSON_ONLY = ["application/json"] as const;
const CODE_TYPES = [...JSON_ONLY, ...BINARY_TYPES] as const;

type Body = Upload<TokenizeRequest>;

/** Returns the route, ready to mount. */
export function tokenize(tokenizers: Tokenizers): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/tokenize",
    tokenizeDescription,
    async (c) => {
      // Checked before the body is read, which decides between them.
      const types = acceptedTypes(c.req.header("accept"), CODE_TYPES);
      const upload = await readUpload(c.req.raw, TokenizeRequest, {
        maxBytes: tokenizers.limits.maxBodyBytes,
        files: { image: MAX_PICTURES, frames: frameLimit(tokenizers.limits) },
        codes: false,
        videos: true,
      });
      const kind = tokenizeKind(upload);
      if (kind === "image" || kind === "frames") {
        const [type] = types;
        return await codesAnswer(c, tokenizers, upload, { kind, type });
      }
      const [type] = JSON_ONLY;
      if (!types.includes(type)) throw new NotAcceptableError(JSON_ONLY);
      return c.json(await tokensOf(c, tokenizers, upload, kind));
    },
  );
}

async function tokensOf(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  upload: Body,
  kind: Exclude<TokenizeKind, "image" | "frames">,
): Promise<TokenizeAnswer> {
  switch (kind) {
    case "text":
      return await textTokens(tokenizers, upload, c.get("call"));
    case "prompt":
      return await promptTokens(tokenizers, upload, c.get("call"));
    case "question":
      return await askedTokens(c, tokenizers, upload);
  }
}

async function codesAnswer(
  c: Context<AppEnv>,
  tokenizers: Tokenizers,
  upload: Body,
  { kind, type }: {
    readonly kind: "image" | "frames";
    readonly type: typeof CODE_TYPES[number];
  },
): Promise<Response> {
  const vision = tokenizers.vision(upload.fields.model);
  const { codes, visionMs, ...origin } = await encoded(
    tokenizers,
    upload,
    vision,
    { kind, call: c.get("call") },
  );
  const timings = { "vision_s": visionMs / 1000 };
  c.get("call").observer?.finished?.({
    tokens: codes.codes.length,
    timed: { model: vision.checkpoint.name, timings },
  });
  const timing = serverTiming(timings);
  if (type === "application/json") {
    const body = codesFields(codes, origin, vision);
    return c.json(body, 200, { "server-timing": timing });
  }
  const { body, headers } = binaryAnswer(codes, type);
  return c.body(body, 200, { ...headers, "server-timing": timing });
}

/** The codes of the pictures of a body. */
type Encoded = Omit<EncodedClip, "codes"> & { readonly codes: Codes };

async function encoded(
  tokenizers: Tokenizers,
  upload: Body,
  vision: VisionModel,
  { kind, call }: {
    readonly kind: "image" | "frames";
    readonly call: PictureCall;
  },
): Promise<Encoded> {
  const {
    decode = "display",
    resize = "smart",
    pad,
    frames_per_code: perCode,
    fps,
    start,
    end,
  } = upload.fields;
  const options = {
    decode,
    resize,
    animation: kind === "image",
    pad: pad !== undefined,
    stills: stillsOf(perCode, vision.framesPerCode, "/frames_per_code")
      .framesPerCode === 1,
    part: { fps, start, end },
  };
  using held = new DisposableStack();
  const files = await filesOf(tokenizers, upload, kind, { call, held });
  if (
    kind === "frames" || isVideo(files[0]!) || readHeader(files[0]!).frames > 1
  ) {
    return await encodeClip(tokenizers, files, vision, { options, call });
  }
  checkNoVideoFields(upload.fields, ["fps", "start", "end"]);
  using prepared = await preparePicture(tokenizers, files[0]!, vision, {
    options,
    call,
  });
  const { image, source } = prepared;
  const watch = new Stopwatch();
  const codes = await watch.run(() =>
    vision.encode(image, call.signal, call.caller)
  );
  return { codes, source, size: image, visionMs: watch.milliseconds };
}

/** Returns the files of the body: one, or those of a clip. */
async function filesOf(
  tokenizers: Tokenizers,
  { fields, files }: Body,
  kind: "image" | "frames",
  use: PictureUse,
): Promise<readonly Uint8Array[]> {
  if (kind === "image") {
    const [bytes, second] = fields.image === undefined ? files.get("image")! : [
      await pictureBytes(tokenizers, fields.image, "/image", use),
      ...files.get("image") ?? [],
    ];
    if (second !== undefined) {
      throw invalidField(
        "/image",
        "expected one image; send the frames of a clip as frames",
      );
    }
    return [bytes!];
  }
  const { frames = [] } = fields;
  const uploaded = files.get("frames") ?? [];
  // Checked before any of them is read.
  const count = frames.length + uploaded.length;
  checkFrameCount(count, "/frames", tokenizers.limits);
  const texts = await listBytes(tokenizers, frames, "/frames", use);
  return [...texts, ...uploaded];
}

function codesFields(
  codes: Codes,
  { source, size, framesPerSecond: fps }: Omit<
    EncodedClip,
    "codes" | "visionMs"
  >,
  { checkpoint }: VisionModel,
): TokenizeAnswer {
  return {
    model: checkpoint.name,
    ...(isClip(codes)
      ? { clip: clipFields(codes), ...(fps !== undefined && { fps }) }
      : { grid: gridFields(codes) }),
    source: sides(source),
    resized: sides(size),
  };
}

function sides({ height, width }: PixelSize): PixelSize {
  return { height, width };
}

async function textTokens(
  tokenizers: Tokenizers,
  { fields }: Body,
  { signal, caller, observer }: Call,
): Promise<TokenizeAnswer> {
  const { name, text } = await tokenizers.text(fields.model);
  const { special = false } = fields;
  observer?.accepted?.();
  const tokens = await text.encode(fields.text!, { special, signal, caller });
  return { model: name, tokens: [...tokens], count: tokens.length };
}

async function promptTokens(
  tokenizers: Tokenizers,
  { fields }: Body,
  { signal, caller, observer }: Call,
): Promise<TokenizeAnswer> {
  const name = fields.model ?? fields.prompt!.model;
  const vision = tokenizers.vision(name);
  const language = await tokenizers.text(name);
  chosenAdapter(language, fields.prompt!.adapter);
  // Prompts are the same for every strategy.
  const models = { language, vision, strategy: "autoregressive" } as const;
  const params = generationParams(fields.prompt!, models, "/prompt");
  observer?.accepted?.();
  const { tokens, unconditional } = await drawingTokens(
    writerFor(language, { signal, caller }),
    params,
  );
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
): Promise<TokenizeAnswer> {
  checkOneWay(upload);
  const { fields } = upload;
  const { decode = "display" } = fields;
  const vision = tokenizers.vision(fields.model);
  const language = await tokenizers.text(fields.model);
  const { signal, caller } = c.get("call");
  const { grids } = await questionGrids(c.req.raw, upload, vision, tokenizers, {
    decode,
    call: c.get("call"),
  });
  const writer = writerFor(language, { signal, caller });
  const tokens = await questionTokens(writer, {
    grids,
    question: fields.question!,
    template: fields.template ?? language.generation.template,
  });
  return { model: language.name, tokens: [...tokens], count: tokens.length };
}
