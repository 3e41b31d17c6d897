/**
 * The commands and programs of the READMEs, and the way to run them.
 *
 * @module
 */

import { ok } from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

/** Path of deno.json. */
export const CONFIG = new URL("deno.json", ROOT).pathname;

/**
 * The page whose programs are files of their own: `tests/workflows/recipes` runs
 * those in TypeScript, `tests/clients/python` those in Python.
 */
export const RECIPES = "deploy/docs/workflow_recipes.md";

/** Pages whose programs are files; those of chains are run by tests/workflows. */
export const PAGES_OF_FILES: ReadonlySet<string> = new Set([
  RECIPES,
  "deploy/docs/workflows.md",
]);

/** READMEs and the pages that they link to. */
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
  /** README of the example. */
  readonly file: string;
  /** Language of its fence. */
  readonly language: string;
  /** Code without its indentation. */
  readonly code: string;
}

/** A command that cannot run in tests. */
interface Exception {
  /** Pattern of the commands. */
  readonly pattern: RegExp;
  /** Reason for the exception. */
  readonly reason: string;
  /** Substitute command; undefined if only the syntax is checked. */
  readonly instead: string | undefined;
}

/** All exceptions; an unused one fails the test. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    pattern: /\btask start(?! --help)/,
    reason: "serves until it is stopped; the other examples ask one that does",
    instead: "deno task start --help",
  },
  {
    pattern: /\btask workflows(?! --help)/,
    reason: "serves until it is stopped; test:workflows starts it",
    instead: "deno task workflows --help",
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
    pattern: /\btask adapters merge \S+ --model \/models\//,
    reason: "needs 16 GB of weights",
    instead: "deno task adapters --help",
  },
  {
    pattern: /\btask models publish\b/,
    reason: "needs weights, and a store on the network",
    instead: "deno task models publish --help",
  },
  {
    pattern: /\bdeno@[\d.]+ run\b/,
    reason: "is a recipe; tests/workflows/recipes runs it",
    instead: undefined,
  },
  {
    pattern: /\/v1\/workflows|\$WORKFLOW/,
    reason: "asks a server with chains, which tests/workflows starts",
    instead: undefined,
  },
  {
    pattern: /https:\/\/example\.org/,
    reason: "asks another machine",
    instead: undefined,
  },
];

/**
 * Returns all blocks of a README; `ignore` excludes them from `deno test
 * --doc`.
 */
export function examplesOf(file: string): Example[] {
  const text = Deno.readTextFileSync(new URL(file, ROOT));
  return [...text.matchAll(/^( *)```(\w*)(?: ignore)?\n([^]*?)^\1```$/gm)]
    .map(([, indent = "", language = "", code = ""]) => ({
      file,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }));
}

/** Returns the commands of a script, each complete, without comments. */
export function commandsOf(script: string): string[] {
  return script.split(/(?<!\\)\n/)
    .map((command) => command.replace(/(^|\s)#\s.*$/, "").trim())
    .filter((command) => command !== "");
}

/**
 * Replaces the commands of a script that cannot run.
 *
 * @param done Exceptions that earlier scripts have substituted already.
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
 * Replaces tasks by their commands, and this repository's files by absolute
 * paths, so that it runs in any folder; a task that does not exist fails the
 * test.
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

/** Tasks of deno.json. */
export const TASKS: Readonly<
  Record<string, { readonly description: string; readonly command: string }>
> = JSON.parse(Deno.readTextFileSync(CONFIG)).tasks;

/** Runs a program; fails if it does. */
export async function succeeds(
  command: string,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: folder,
    // As `deno task` sets it, which starts programs in its own folder.
    env: { INIT_CWD: folder, ...env },
  }).output();
  const text = new TextDecoder();
  ok(success, `${args.at(-1)}\n${text.decode(stdout)}${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** Runs a Deno program; its imports resolve from its README. */
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
