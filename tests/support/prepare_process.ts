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

/** A limit on the files that a process writes, as a full disk would be. */
export interface FileLimit {
  readonly fileKilobytes: number;
}

/** Starts the command in `cwd`. */
export function startPrepare(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  limit?: FileLimit,
): Deno.ChildProcess {
  const command = [
    ...[Deno.execPath(), "run", "-q", "--no-check", "-A", "--no-code-cache"],
    ...[MAIN, ...words],
  ];
  // The signal of the limit would end the process; ignored, writes fail.
  const script = `trap '' XFSZ; ulimit -f ${limit?.fileKilobytes}; exec "$@"`;
  const [program, ...args] = limit === undefined
    ? command
    : ["bash", "-c", script, "bash", ...command];
  return new Deno.Command(program!, {
    args,
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
  limit?: FileLimit,
): Promise<Ended> {
  const process = startPrepare(cwd, words, env, limit);
  const { code, stdout, stderr } = await process.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}
