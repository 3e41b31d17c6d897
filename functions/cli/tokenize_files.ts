/**
 * `task tokenize`: pictures → files of codes.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { parseCommandLine } from "../../lib/command_line.ts";
import { readHeader } from "../../lib/image/header.ts";
import { videoContainer } from "../../lib/image/video/container.ts";
import type { Command } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { inputFiles, readInput, STANDARD } from "./input_files.ts";
import { writeOutput } from "./output_files.ts";
import { PICTURE_EXTENSIONS } from "../../lib/image/image.ts";

const USAGE = `Usage: deno task tokenize <picture>… --out <folder> [options]

Encodes images as codes: one NumPy file of unsigned 16-bit integers per image,
[height, width], or [frames, height, width] for an animation or a video, which
takes ffmpeg. An image is a file, a folder, a pattern such as "photos/*.jpg" or
- for standard input.

  -o, --out <folder>        folder for the codes; - for standard output
      --skip-existing       skip files that exist already
      --model <name>        model to use, if there are several`;

const OPTIONS = {
  out: { type: "string", short: "o" },
  "skip-existing": { type: "boolean" },
  model: { type: "string" },
} as const;

/** Media type of codes in a NumPy file. */
export const NPY = "application/x-npy";

/** The command. */
export const TOKENIZE: Command = {
  usage: USAGE,
  prepare: (words) => {
    const { values, positionals } = parseCommandLine(words, OPTIONS);
    if (positionals.length === 0) {
      throw new SyntaxError("the pictures are missing");
    }
    const { out, model } = values;
    if (out === undefined) throw new SyntaxError("--out is missing");
    const query = model === undefined
      ? ""
      : `?${new URLSearchParams({ model })}`;
    return async (context) => {
      const files = await inputFiles(positionals, PICTURE_EXTENSIONS);
      if (out === STANDARD && files.length > 1) {
        throw new Error(
          "Cannot write several files to standard output; use --out with a folder",
        );
      }
      return await eachFile(files, context, async (file) => {
        const path = out === STANDARD ? out : join(out, `${file.stem}.npy`);
        if (values["skip-existing"] && await exists(path)) return;
        const bytes = await readInput(file);
        const type = videoContainer(bytes) === undefined
          ? `image/${readHeader(bytes).type}`
          : "video/mp4";
        const answer = await context.endpoint.request(`/v1/tokenize${query}`, {
          method: "POST",
          headers: { "content-type": type, accept: NPY },
          body: bytes,
        });
        await writeOutput(path, await answer.bytes());
      });
    };
  },
};

/** Returns true if a file exists at `path`. */
export async function exists(path: string): Promise<boolean> {
  return await stat(path).then((found) => found.isFile(), () => false);
}
