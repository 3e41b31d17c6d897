/**
 * The peers: other software, timed by processes that measure on demand, so that
 * contenders alternate on a machine whose speed varies.
 *
 * @module
 */

/** The results of a measurement, by name. */
export type Measured = Record<string, number>;

/** A peer in a process of its own. */
export class Peer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #read = "";

  /** Starts a command that answers every line with a line of JSON. */
  constructor(command: string, args: readonly string[], folder = ".") {
    this.#process = new Deno.Command(command, {
      args: [...args],
      cwd: folder,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#output = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Measures once; undefined if the process lacks a dependency. */
  async measure(): Promise<Measured | undefined> {
    try {
      await this.#input.write(new TextEncoder().encode("\n"));
    } catch {
      // The process ended; its output is complete.
    }
    for (;;) {
      const end = this.#read.indexOf("\n");
      if (end !== -1) {
        const line = this.#read.slice(0, end);
        this.#read = this.#read.slice(end + 1);
        // Libraries may print other lines before.
        if (line.startsWith("{")) return JSON.parse(line);
        continue;
      }
      const { value, done } = await this.#output.read();
      if (done) return undefined;
      this.#read += value;
    }
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill();
    } catch (error) {
      // The process ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#process.status;
    await this.#output.cancel();
    await this.#input.abort().catch(() => {});
  }
}

const SCRIPT = new URL("peers.py", import.meta.url).pathname;

/**
 * Returns the Python that has torch and transformers, if the machine has one.
 */
export function python(): string {
  return Deno.env.get("PYTHON") ?? "python3";
}

/**
 * Starts a mode of `peers.py`; undefined if there is no such Python.
 *
 * @param args Arguments of its command line.
 */
export function startPeer(args: readonly string[]): Peer | undefined {
  try {
    return new Peer(python(), [SCRIPT, ...args]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Runs a mode of `peers.py` that measures once. */
export async function askPeer(
  args: readonly string[],
): Promise<Measured | undefined> {
  await using peer = startPeer(args);
  return await peer?.measure();
}

/** Runs a mode of `peers.py` that measures nothing; true on success. */
export async function runPeer(args: readonly string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(python(), {
      args: [SCRIPT, ...args],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
