/**
 * The input files of a command: names, folders, patterns and standard input.
 *
 * @module
 */

import { glob, stat } from "node:fs/promises";
import { basename, extname, join, relative } from "node:path";

/** A file to read. */
export interface InputFile {
  /** Path of the file; `-` for standard input. */
  readonly path: string;
  /** Path below the named folder, without extension. */
  readonly stem: string;
}

/** Name of standard input, in place of a file. */
export const STANDARD = "-";

/**
 * Lists the files that `words` name, each once, in order: files themselves,
 * folders with all files below whose extension is one of `extensions`, and
 * patterns such as `photos/*.jpg`.
 *
 * @throws {Error} If a word names no file.
 */
export async function inputFiles(
  words: readonly string[],
  extensions: readonly string[],
): Promise<readonly InputFile[]> {
  const files = new Map<string, InputFile>();
  for (const word of words) {
    const found = await filesOf(word, extensions);
    if (found.length === 0) {
      throw new Error(
        `Cannot find ${word}: no such file, or a folder without ${
          extensions.join(", ")
        }`,
      );
    }
    for (const file of found) files.set(file.path, file);
  }
  return [...files.values()];
}

/**
 * Returns the bytes of `file`.
 *
 * @throws {Error} If it fails, naming the path and the reason.
 */
export async function readInput(
  { path }: InputFile,
): Promise<Uint8Array<ArrayBuffer>> {
  if (path === STANDARD) return await new Response(Deno.stdin.readable).bytes();
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot read ${path}: ${reason}`, { cause });
  }
}

async function filesOf(
  word: string,
  extensions: readonly string[],
): Promise<readonly InputFile[]> {
  if (word === STANDARD) return [{ path: STANDARD, stem: "stdin" }];
  const there = await stat(word).catch(() => undefined);
  if (there?.isDirectory()) {
    return (await matches(join(word, "**", "*")))
      .filter((path) => extensions.includes(extname(path).toLowerCase()))
      .map((path) => ({ path, stem: withoutExtension(relative(word, path)) }));
  }
  const paths = there === undefined ? await matches(word) : [word];
  return paths.map((path) => ({
    path,
    stem: withoutExtension(basename(path)),
  }));
}

/** Returns the files that match `pattern`, sorted by name. */
async function matches(pattern: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const path of glob(pattern)) {
    if ((await stat(path)).isFile()) paths.push(path);
  }
  return paths.sort();
}

function withoutExtension(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}
