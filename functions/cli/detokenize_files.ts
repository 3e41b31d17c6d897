/**
 * `task detokenize`: files of codes → pictures.
 *
 * @module
 */

import { extname, join } from "node:path";
import { parseCommandLine } from "../../lib/command_line.ts";
import type { Command } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { inputFiles, readInput, STANDARD } from "./input_files.ts";
import { writeOutput } from "./output_files.ts";
import { exists, NPY } from "./tokenize_files.ts";

const USAGE = `Usage: deno task detokenize <codes>… --out <folder> [options]

Decodes codes to images. Codes are NumPy files as written by "task tokenize", or
JSON files with a grid, {"height", "width", "codes"}: a file, a folder, a
pattern such as "codes/*.npy" or - for standard input (NumPy).

  -o, --out <folder>        folder for the images; - for standard output
      --format png|jpeg     format of the images (default png)
      --skip-existing       skip files that exist already
      --model <name>        model to use, if there are several`;

const OPTIONS = {
  out: { type: "string", short: "o" },
  format: { type: "string" },
  "skip-existing": { type: "boolean" },
  model: { type: "string" },
} as const;

/** Extensions of pictures by format. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ["png", ".png"],
  ["jpeg", ".jpg"],
]);

/** The command. */
export const DETOKENIZE: Command = {
  usage: USAGE,
  prepare: (words) => {
    const { values, positionals } = parseCommandLine(words, OPTIONS);
    if (positionals.length === 0) {
      throw new SyntaxError("the codes are missing");
    }
    const { out, model, format = "png" } = values;
    if (out === undefined) throw new SyntaxError("--out is missing");
    const extension = FORMATS.get(format);
    if (extension === undefined) {
      throw new SyntaxError(
        `--format "${format}" is not supported; expected ${
          [...FORMATS.keys()].join(" or ")
        }`,
      );
    }
    return async (context) => {
      const files = await inputFiles(positionals, [".npy", ".json"]);
      if (out === STANDARD && files.length > 1) {
        throw new Error(
          "Cannot write several files to standard output; use --out with a folder",
        );
      }
      return await eachFile(files, context, async (file) => {
        const path = out === STANDARD
          ? out
          : join(out, `${file.stem}${extension}`);
        if (values["skip-existing"] && await exists(path)) return;
        const bytes = await readInput(file);
        const json = extname(file.path).toLowerCase() === ".json";
        const query = model === undefined || json
          ? ""
          : `?${new URLSearchParams({ model })}`;
        const answer = await context.endpoint.request(
          `/v1/detokenize${query}`,
          {
            method: "POST",
            headers: {
              "content-type": json ? "application/json" : NPY,
              accept: `image/${format}`,
            },
            body: json ? gridBody(bytes, model) : bytes,
          },
        );
        await writeOutput(path, await answer.bytes());
      });
    };
  },
};

/**
 * Returns the request body for a grid, bare in a file or inside an answer of
 * `/v1/tokenize`.
 *
 * @throws {Error} If the file is not a JSON object.
 */
function gridBody(bytes: Uint8Array, model: string | undefined): string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new Error("Cannot read codes: the file is not JSON", { cause });
  }
  if (typeof value !== "object" || value === null) {
    throw new Error("Cannot read codes: expected an object with a grid");
  }
  const grid = "grid" in value ? value.grid : value;
  return JSON.stringify({ grid, model });
}
