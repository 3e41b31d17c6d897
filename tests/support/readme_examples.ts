/**
 * Commands and programs of the READMEs, and what is run of them.
 *
 * @module
 */

import { ok } from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);
const CONFIG = new URL("deno.json", ROOT).pathname;

/** READMEs and the pages that they lead to. */
export const READMES: readonly string[] = [
  "README.md",
  ...["lib", "models", "functions", "deploy", "tests"].flatMap((folder) => [
    `${folder}/README.md`,
    ...pagesIn(`${folder}/docs`),
  ]),
];

/** Returns the Markdown files of a folder, in order; none without the folder. */
function pagesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(new URL(folder, ROOT))]
      .map(({ name }) => `${folder}/${name}`)
      .filter((path) => path.endsWith(".md")).sort();
  } catch {
    return [];
  }
}

/** A fenced block. */
export interface Example {
  /** The README that it is in. */
  readonly file: string;
  /** As its fence says. */
  readonly language: string;
  /** Without its indentation. */
  readonly code: string;
}

/** What cannot be run here. */
interface Exception {
  /** Commands that it is about. */
  readonly pattern: RegExp;
  /** Why they cannot. */
  readonly reason: string;
  /** What is run in their place; undefined where only the shell reads them. */
  readonly instead: string | undefined;
}

/** All exceptions; one that nothing needs fails the test. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    pattern: /\btask start(?! --help)/,
    reason: "serves until it is stopped; the other examples ask one that does",
    instead: "deno task start --help",
  },
  {
    pattern: /\btask (test|ok)\b/,
    reason: "runs every test, and so itself",
    instead: undefined,
  },
  {
    pattern: /\bdocker (build|run)\b/,
    reason: "needs Docker; test:container builds and runs the image without",
    instead: undefined,
  },
  {
    pattern: /\btask quantize \/models\//,
    reason: "needs 16 GB of weights",
    instead: "deno task quantize --help",
  },
  {
    pattern: /\btask models publish\b/,
    reason: "needs weights, and a store on the network",
    instead: "deno task models publish --help",
  },
  {
    pattern: /https:\/\/example\.org/,
    reason: "asks another machine",
    instead: undefined,
  },
];

/** Returns all blocks of a README; `ignore` keeps them from `deno test --doc`. */
export function examplesOf(file: string): Example[] {
  const text = Deno.readTextFileSync(new URL(file, ROOT));
  return [...text.matchAll(/^( *)```(\w*)(?: ignore)?\n([^]*?)^\1```$/gm)]
    .map(([, indent = "", language = "", code = ""]) => ({
      file,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }));
}

/** The commands of a script, each whole, without comments. */
export function commandsOf(script: string): string[] {
  return script.split(/(?<!\\)\n/)
    .map((command) => command.replace(/(^|\s)#\s.*$/, "").trim())
    .filter((command) => command !== "");
}

/**
 * A script, with what is run in place of what cannot be.
 *
 * @param done What was run in place of others before, and need not be again.
 */
export function runnable(script: string, done: Set<Exception>): string {
  return commandsOf(script).map((command) => {
    const exception = EXCEPTIONS.find(({ pattern }) => pattern.test(command));
    if (exception === undefined) return command;
    if (done.has(exception)) return ":";
    done.add(exception);
    return exception.instead ?? ":";
  }).map(withTasks).join("\n");
}

/** Files of this repository, as words of a command. */
const OURS = /(?<=^|\s)(?:lib|models|functions|deploy|tests)\/\S+/g;

/**
 * Tasks as what they run, and our files by whole paths, so that it may be done
 * in any folder; a task that does not exist fails the test.
 */
export function withTasks(command: string): string {
  return command.replaceAll(
    /\b(?:npx -y deno@[\d.]+|deno) task (\S+)/g,
    (_, name: string) => {
      const task = TASKS[name];
      ok(task !== undefined, `deno.json has no task ${name}`);
      const config = `${Deno.execPath()} run --config=${CONFIG}`;
      return task.command.replace("deno run", config);
    },
  ).replaceAll(OURS, (path) => new URL(path, ROOT).pathname);
}

/** Tasks of deno.json, as far as they say what they are. */
export const TASKS: Readonly<
  Record<string, { readonly description: string; readonly command: string }>
> = JSON.parse(Deno.readTextFileSync(CONFIG)).tasks;

/** Runs a program; fails when it does. */
export async function succeeds(
  command: string,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: folder,
    env: { ...env },
  }).output();
  const text = new TextDecoder();
  ok(success, `${args.at(-1)}\n${text.decode(stdout)}${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** Runs a program of Deno's; what it imports is found from its README. */
export async function runProgram(
  example: Example,
  code: string,
  folder: string,
): Promise<string> {
  const file = `${folder}/example.${example.language}`;
  const beside = new URL(example.file, ROOT);
  const rooted = code.replaceAll(
    /from "(\.\/[^"]+)"/g,
    (_, path: string) => `from "${new URL(path, beside)}"`,
  );
  await Deno.writeTextFile(file, rooted);
  const args = ["run", "-q", "-A", `--config=${CONFIG}`, file];
  return await succeeds(Deno.execPath(), args, ROOT.pathname);
}
