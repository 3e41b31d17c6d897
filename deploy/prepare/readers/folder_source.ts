/**
 * The reader of a folder of pictures, each with or without a `.txt` beside it.
 *
 * @module
 */

import { extname, join } from "node:path";
import { PICTURE_EXTENSIONS } from "../../../lib/image/image.ts";
import { readReason } from "../../../lib/loading/read_reason.ts";
import { PreparationError } from "../preparation_error.ts";
import { faulty } from "./json_source.ts";
import { readPicture } from "./row_record.ts";
import type { RecordSource } from "./source.ts";

/** Extensions of texts beside pictures, in order of precedence. */
const TEXT_EXTENSIONS = [".txt", ".caption"];

/** Opens the folder at `folder`, and all folders in it. */
export function folderSource(folder: string): RecordSource {
  let share = 0;
  return {
    format: "folder",
    share: () => share,
    async *records() {
      const paths = await Array.fromAsync(picturesIn(folder, ""));
      if (paths.length === 0) {
        throw new PreparationError(
          `${folder} has no pictures (${PICTURE_EXTENSIONS.join(", ")})`,
        );
      }
      for (const [i, path] of paths.entries()) {
        share = (i + 1) / paths.length;
        const stem = path.slice(0, path.length - extname(path).length);
        const text = await textBeside(join(folder, stem));
        if (text instanceof Error) {
          yield faulty(
            stem,
            path,
            `its text cannot be read: ${readReason(text)}`,
          );
          continue;
        }
        yield {
          ...{ name: stem, place: path, text },
          ...{ question: undefined, answer: undefined },
          picture: () => readPicture(join(folder, path)),
        };
      }
    },
  };
}

/** Yields the paths of pictures below `folder`, sorted by name. */
async function* picturesIn(
  folder: string,
  under: string,
): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(join(folder, under)));
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const entry of entries) {
    const path = under === "" ? entry.name : `${under}/${entry.name}`;
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory) yield* picturesIn(folder, path);
    else if (PICTURE_EXTENSIONS.includes(extname(path).toLowerCase())) {
      yield path;
    }
  }
}

/** Returns the text beside a picture; an error if there is one, unreadable. */
async function textBeside(stem: string): Promise<string | undefined | Error> {
  for (const extension of TEXT_EXTENSIONS) {
    try {
      return (await Deno.readTextFile(`${stem}${extension}`)).trim();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      return error instanceof Error ? error : new Error(String(error));
    }
  }
  return undefined;
}
