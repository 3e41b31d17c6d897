/**
 * `task draw`: a prompt → files of pictures or clips.
 *
 * @module
 */

import { extname } from "node:path";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { parseCommandLine } from "../../lib/command_line.ts";
import { type Command, type CommandContext, numberOf } from "./command.ts";
import { RequestError } from "./endpoint.ts";
import { readInput, STANDARD } from "./input_files.ts";
import { makeFolder, numbered, writeOutput } from "./output_files.ts";

const USAGE = `Usage: deno task draw <prompt> [-o picture.png] [options]

Generates images, or clips with --frames. The prompt "-" reads standard input,
-o - writes to standard output. Several images are numbered: picture-1.png.

  -o, --out <file>          file to write (default picture.png, clip.png); of a
                            clip .png (animated), .gif, .mp4 or .zip
  -n, --count <n>           number of images, 1 to 8 (default 1)
      --seed <n>            random seed; the same seed gives the same image
      --ratio <w:h>         aspect ratio, width to height, such as 4:3
      --size <w>x<h>        size in pixels, such as 128x128
      --negative <text>     negative prompt
      --guidance <x>        guidance scale; 1 disables guidance
      --temperature <x>     sampling temperature; 0 for the most likely image
      --frames <n>          frames of a clip, those of --context included
      --fps <x>             frames per second of a clip
      --context <file>      image or animation that the clip begins with
      --model <name>        model to use, if there are several`;

const OPTIONS = {
  out: { type: "string", short: "o" },
  count: { type: "string", short: "n" },
  seed: { type: "string" },
  ratio: { type: "string" },
  size: { type: "string" },
  negative: { type: "string" },
  guidance: { type: "string" },
  temperature: { type: "string" },
  frames: { type: "string" },
  fps: { type: "string" },
  context: { type: "string" },
  model: { type: "string" },
} as const;

/** The command. */
export const DRAW: Command = {
  usage: USAGE,
  prepare: (words) => {
    const { values, positionals } = parseCommandLine(words, OPTIONS);
    const [prompt, ...others] = positionals;
    if (prompt === undefined) {
      throw new SyntaxError(
        "the prompt is missing; quote it, or use - for standard input",
      );
    }
    if (others.length > 0) {
      throw new SyntaxError(
        `unexpected argument "${others[0]}"; quote a prompt of several words`,
      );
    }
    const frames = numberOf("frames", values.frames);
    const isClip = values.context !== undefined || (frames ?? 1) > 1;
    const out = values.out ?? (isClip ? "clip.png" : "picture.png");
    const fields = {
      n: numberOf("count", values.count) ?? 1,
      seed: numberOf("seed", values.seed),
      ratio: values.ratio,
      ...sizeOf(values.size),
      "negative_prompt": values.negative,
      "guidance_scale": numberOf("guidance", values.guidance),
      temperature: numberOf("temperature", values.temperature),
      frames,
      fps: numberOf("fps", values.fps),
      ...(isClip && { "output_format": clipFormat(out) }),
      model: values.model,
    };
    if (out === STANDARD && fields.n > 1) {
      throw new SyntaxError("-o - writes a single image; leave out --count");
    }
    return async (context) => {
      const text = prompt === STANDARD ? await context.readText() : prompt;
      const first = await contextOf(values.context);
      await draw({ ...fields, ...first, prompt: text }, out, context);
      return 0;
    };
  },
};

async function draw(
  fields: { readonly n: number; readonly prompt: string },
  out: string,
  context: CommandContext,
): Promise<void> {
  const { endpoint, progress } = context;
  await makeFolder(out);
  const answer = await endpoint.request("/v1/generate", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "text/event-stream",
    },
    body: JSON.stringify(fields),
  });
  const events = answer.body!
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  let rows = 0;
  let drawn = 0;
  let pictures = 0;
  for await (const { event, data } of events) {
    const value = JSON.parse(data);
    if (event === "queued") progress.show(`queued, ${value.position} ahead`);
    if (event === "started") rows = value.rows * fields.n;
    if (event === "row") progress.show(`${++drawn} of ${rows} rows`);
    if (event === "error") throw new RequestError(value.detail);
    if (event === "image" || event === "clip") {
      const path = numbered(out, value["image_index"], fields.n);
      await writeOutput(path, Uint8Array.fromBase64(value["b64_json"]));
      if (path !== STANDARD) progress.print(path);
      pictures++;
    }
  }
  if (pictures < fields.n) {
    throw new RequestError(
      "The server closed the connection before the image was complete",
    );
  }
}

/** Returns the format of a clip's file by its extension. */
function clipFormat(out: string): "apng" | "gif" | "mp4" | "zip" {
  const extension = extname(out).slice(1).toLowerCase();
  switch (extension) {
    case "":
    case "png":
    case "apng":
      return "apng";
    case "gif":
    case "mp4":
    case "zip":
      return extension;
    default:
      throw new SyntaxError(
        `-o ${out} is not a file of a clip: use .png, .gif, .mp4 or .zip`,
      );
  }
}

async function contextOf(
  path: string | undefined,
): Promise<{ readonly context?: readonly string[] }> {
  if (path === undefined) return {};
  const bytes = await readInput({ path, stem: "" });
  return { context: [bytes.toBase64()] };
}

function sizeOf(
  text: string | undefined,
): { readonly width?: number; readonly height?: number } {
  if (text === undefined) return {};
  const [, width, height] = /^(\d+)[x×](\d+)$/i.exec(text) ?? [];
  if (width === undefined) {
    throw new SyntaxError(`--size "${text}" is not a size such as 128x128`);
  }
  return { width: Number(width), height: Number(height) };
}
