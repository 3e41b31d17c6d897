/**
 * The files of the page of recipes, and their runs.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { examplesOf, RECIPES } from "../../support/readme_examples.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";

/** Returns the files of the page by name, as their first lines have it. */
export function recipeFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const { language, code } of examplesOf(RECIPES)) {
    const [, name] = /^(?:\/\/|#) (\w+\.(?:ts|py))\n/.exec(code) ?? [];
    if (name !== undefined) files.set(name, code);
    // The imports of DBOS and PGlite.
    else if (language === "text") files.set("deno.json", code);
  }
  return files;
}

/** Writes the files of the page into a folder, with `changes` of their text. */
export function recipeFolder(
  changes: Readonly<Record<string, string>> = {},
): TemporaryFolder {
  const folder = temporaryFolder();
  for (const [name, code] of recipeFiles()) {
    let changed = code;
    for (const [from, to] of Object.entries(changes)) {
      changed = changed.replaceAll(from, to);
    }
    folder.write(name, changed);
  }
  return folder;
}

/** A running program. */
export interface RecipeRun extends AsyncDisposable {
  /** Returns what it has printed so far. */
  readonly soFar: () => string;
  /** Resolves with all that it has printed; rejects if it failed. */
  readonly printed: Promise<string>;
  /** Sends Ctrl+C. */
  readonly interrupt: () => void;
  /** Kills it, as a crash does. */
  readonly crash: () => Promise<void>;
}

/**
 * Starts a program of a folder.
 *
 * @param args Arguments of `deno run`.
 * @param env Variables of the program.
 */
export function startRecipe(
  folder: TemporaryFolder,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): RecipeRun {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", ...args],
    cwd: folder.path,
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = collected(process.stdout);
  const stderr = collected(process.stderr);
  const printed = (async () => {
    await Promise.all([stdout.done, stderr.done]);
    const { success } = await process.status;
    ok(success, `${args.join(" ")}\n${stdout.text()}${stderr.text()}`);
    return stdout.text();
  })();
  // A program that is killed is expected to fail.
  printed.catch(() => {});
  const crash = async () => {
    try {
      process.kill("SIGKILL");
    } catch (error) {
      // The program ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await printed.catch(() => {});
  };
  return {
    soFar: stdout.text,
    printed,
    interrupt: () => process.kill("SIGINT"),
    crash,
    [Symbol.asyncDispose]: crash,
  };
}

/** Collects the text of a stream. */
function collected(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): { readonly text: () => string; readonly done: Promise<void> } {
  let text = "";
  const write = (part: string) => void (text += part);
  const done = stream.pipeThrough(new TextDecoderStream())
    .pipeTo(new WritableStream({ write }));
  return { text: () => text, done };
}
