/**
 * The page over a scripted server that draws clips: a square that moves right,
 * one step a frame. No model runs.
 *
 * @module
 */

import { Hono } from "hono";
import type { AppEnv } from "../../functions/http/context.ts";
import { page } from "../../functions/playground/page.ts";
import { encodePng } from "../../lib/image/encode_png.ts";
import { readHeader } from "../../lib/image/header.ts";
import type { RgbImage } from "../../lib/image/image.ts";
import { animatedGif, animatedPng } from "../support/animations.ts";

/** Side of a frame in codes, and pixels per code. */
const SIDE = 12;
const PIXELS = 8;

/** Frames of a clip by default, and their rate. */
export const FRAMES = 6;
const RATE = 4;

/** A body of `/v1/generate`. */
export interface ClipBody {
  readonly prompt: string;
  readonly seed: number;
  readonly n?: number;
  readonly frames?: number;
  readonly fps?: number;
  readonly ratio?: string;
  readonly model?: string;
  readonly clip?: { readonly codes: number[][][] };
}

/** The scripted server. */
export interface ClipServer extends AsyncDisposable {
  /** URL that it listens on. */
  readonly url: string;
  /** Bodies of the generate requests, in order. */
  readonly asked: ClipBody[];
  /** Count of frames after which the next drawing breaks off. */
  breakAfter: number | undefined;
  /** Settles before the second half of a drawing is sent. */
  half: Promise<void>;
  /** Problem that answers the next drawing. */
  problem: Readonly<Record<string, unknown>> | undefined;
  /** False for frames that are not decoded in their events. */
  previews: boolean;
}

const MODEL = {
  object: "model",
  state: "ready",
  revision: null,
  precision: "fp32",
  device: "cpu",
  phases: [],
  "context_length": 4096,
  "max_images": 1,
  limits: { "max_body_bytes": 1e7, "max_pixels": 1e8, "max_frames": 256 },
  adapters: [],
  "known_words": [],
  subjects: [],
};

const MODELS = [{
  ...MODEL,
  id: "emu3-mini",
  "image_area": 128 * 128,
  capabilities: ["generate", "tokenize", "detokenize"],
  examples: ["three apples"],
}, {
  ...MODEL,
  id: "emu3-mini-clips",
  "image_area": (SIDE * PIXELS) ** 2,
  capabilities: ["generate", "clips", "tokenize", "detokenize"],
  examples: ["a rocket flies up, blue background"],
  clips: {
    format: "frames",
    mode: "whole",
    frames: FRAMES,
    "max_frames": 16,
    fps: RATE,
  },
}];

/** Starts the server. */
export function startClipServer(): ClipServer {
  const app = new Hono<AppEnv>();
  app.get("/v1/models", (c) => c.json({ object: "list", data: MODELS }));
  app.get("/v1/workflows", (c) => c.json({ object: "list", data: [] }));
  app.get(
    "/openapi.json",
    (c) => c.json({ paths: { "/v1/detokenize": { content: ["video/mp4"] } } }),
  );
  app.post("/v1/generate", async (c) => {
    const body: ClipBody = await c.req.json();
    server.asked.push(body);
    const { problem } = server;
    server.problem = undefined;
    if (problem !== undefined) return c.json(problem, 422);
    return new Response(
      ReadableStream.from(drawing(server, body)).pipeThrough(
        new TextEncoderStream(),
      ),
      { headers: { "content-type": "text/event-stream" } },
    );
  });
  app.post("/v1/tokenize", async (c) => {
    const form = await c.req.formData();
    const frames = form.getAll("frames").length;
    const codes = Array.from({ length: frames }, (_, t) => codesOf(t));
    const stills = form.get("frames_per_code") === "1";
    const still = form.get("frames");
    const { width } = readHeader(await (still as File).bytes());
    // Other sizes would be fitted to the vision tokenizer's.
    if (form.get("resize") !== "none" || width !== SIDE * PIXELS) {
      return c.json({ status: 422, detail: `${width} pixels` }, 422);
    }
    return c.json({
      clip: { frames, ...stills && { "frames_per_code": 1 }, codes },
    });
  });
  app.post("/v1/detokenize", async (c) => {
    const { clip, grid } = await c.req.json();
    const type = c.req.header("accept");
    if (clip === undefined) {
      return bytes(encodePng(picture(grid.codes), {}), "image/png");
    }
    const frames = clip.codes.map(picture);
    if (type === "image/apng") return bytes(apng(frames), type);
    if (type === "image/gif") return bytes(await gif(frames), type);
    return c.json({ frames: frames.map(wireFile) });
  });
  app.post("/v1/score", async (c) => {
    const { clip } = await c.req.json();
    const logprobs = clip.codes.map(scoresOf).flat();
    return c.json({ logprobs });
  });
  app.route("/", page());
  const listener = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    app.fetch,
  );
  const server: ClipServer = {
    url: `http://127.0.0.1:${listener.addr.port}`,
    asked: [],
    breakAfter: undefined,
    half: Promise.resolve(),
    problem: undefined,
    previews: true,
    [Symbol.asyncDispose]: () => listener.shutdown(),
  };
  return server;
}

/** Returns an animation of squares, as a file that users bring. */
export async function animation(frames: number): Promise<Uint8Array> {
  return await gif(
    Array.from({ length: frames }, (_, t) => picture(codesOf(t))),
  );
}

/** Yields the events of a drawing. */
async function* drawing(
  server: ClipServer,
  { prompt, seed, n = 1, frames = 1, fps = RATE, clip }: ClipBody,
): AsyncGenerator<string> {
  const given = clip?.codes.length ?? 0;
  const grid = { height: SIDE, width: SIDE };
  const codes = [...clip?.codes ?? []];
  const rows = (frames - given) * SIDE;
  const begun = { id: "g1", seed, n, rows, grid, frames, given, fps };
  yield event("started", begun);
  const { breakAfter } = server;
  server.breakAfter = undefined;
  for (let frame = given; frame < frames; frame++) {
    if (frame - given === breakAfter) return;
    if (frame - given === (frames - given) >> 1) await server.half;
    const drawn = codesOf(frame);
    codes.push(drawn);
    const scores = scoresOf(drawn, frame);
    const previews = server.previews && [wireFile(picture(drawn))];
    // Several clips are equal.
    for (let image = 0; image < n; image++) {
      const at = { "image_index": image, frame };
      for (const [index, row] of drawn.entries()) {
        const logprobs = scores[index];
        yield event("row", { ...at, index, codes: row, logprobs });
      }
      yield event("frame", { ...at, ...previews && { previews } });
    }
  }
  const file = apng(codes.map(picture), fps, {
    Description: prompt,
    parameters: JSON.stringify({ seed, frames, fps }),
  });
  const whole = { frames, ...grid, "frames_per_code": 1, codes };
  yield event("completed", {
    id: "g1",
    model: "emu3-mini-clips",
    seed,
    strategy: "autoregressive",
    lossless: true,
    images: [],
    clips: Array(n).fill({
      clip: whole,
      frames,
      fps,
      height: SIDE * PIXELS,
      width: SIDE * PIXELS,
      "b64_json": file.toBase64(),
      "mime_type": "image/apng",
    }),
    usage: { "image_tokens": rows * SIDE, forwards: rows * SIDE },
    timings: { "decode_s": 0.5 },
  });
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Returns codes of frame `t`: its square, on a background. */
function codesOf(t: number): number[][] {
  const inside = (y: number, x: number) =>
    y >= 4 && y < 8 && x >= t && x < t + 4;
  return Array.from(
    { length: SIDE },
    (_, y) =>
      Array.from({ length: SIDE }, (_, x) => inside(y, x) ? 7 : 100 + t),
  );
}

/** Returns scores of the codes of frame `t`, which grow less likely. */
function scoresOf(codes: readonly (readonly number[])[], t: number) {
  const logprob = -0.1 * (t + 1);
  const entropy = 0.2 * (t + 1);
  return codes.map((row) =>
    row.map((code) => ({ logprob, entropy, top: [{ code, logprob }] }))
  );
}

/** Decodes codes: a square is red, all else is blue. */
function picture(codes: readonly (readonly number[])[]): RgbImage {
  const height = codes.length * PIXELS;
  const width = codes[0]!.length * PIXELS;
  const pixels = new Uint8ClampedArray(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    const y = Math.floor(Math.floor(i / width) / PIXELS);
    const x = Math.floor((i % width) / PIXELS);
    pixels.set(codes[y]![x] === 7 ? [220, 60, 40] : [70, 130, 220], i * 3);
  }
  return { height, width, pixels };
}

function apng(
  frames: readonly RgbImage[],
  framesPerSecond = RATE,
  text: Readonly<Record<string, string>> = {},
) {
  return animatedPng(frames, { framesPerSecond, text });
}

async function gif(frames: readonly RgbImage[]): Promise<Uint8Array> {
  return await animatedGif(frames, { framesPerSecond: RATE });
}

function wireFile(image: RgbImage) {
  const file = encodePng(image, {});
  const { height, width } = image;
  return {
    "b64_json": file.toBase64(),
    "mime_type": "image/png",
    height,
    width,
  };
}

function bytes(file: Uint8Array, type: string): Response {
  return new Response(Uint8Array.from(file), {
    headers: { "content-type": type },
  });
}
