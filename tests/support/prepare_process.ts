/**
 * The command `prepare-data` as a process.
 *
 * @module
 */

const MAIN = new URL("../../deploy/prepare/main.ts", import.meta.url).pathname;

/** The end of a process. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Starts the command in `cwd`. */
export function startPrepare(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "-A", MAIN, ...words],
    cwd,
    env: { INIT_CWD: cwd, ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command in `cwd` to its end. */
export async function runPrepare(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await startPrepare(cwd, words, env).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}
