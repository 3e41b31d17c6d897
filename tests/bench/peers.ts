/**
 * Other software, timed by processes that measure once whenever they are asked:
 * so that rivals take turns on a machine whose speed wanders.
 *
 * @module
 */

/** What one measurement gave, by name. */
export type Measured = Record<string, number>;

/** Software that runs in a process of its own. */
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

  /** Measures once; undefined when the process lacks what it needs. */
  async measure(): Promise<Measured | undefined> {
    try {
      await this.#input.write(new TextEncoder().encode("\n"));
    } catch {
      // It ended; its output says nothing more.
    }
    for (;;) {
      const end = this.#read.indexOf("\n");
      if (end !== -1) {
        const line = this.#read.slice(0, end);
        this.#read = this.#read.slice(end + 1);
        // Libraries print what they like before.
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
      // It ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#process.status;
    await this.#output.cancel();
    await this.#input.abort().catch(() => {});
  }
}

const SCRIPT = new URL("peers.py", import.meta.url).pathname;

/** The Python that has torch and transformers, if the machine has one. */
export function python(): string {
  return Deno.env.get("PYTHON") ?? "python3";
}

/**
 * A mode of `peers.py`; undefined where there is no such Python.
 *
 * @param args As on its command line.
 */
export function startPeer(args: readonly string[]): Peer | undefined {
  try {
    return new Peer(python(), [SCRIPT, ...args]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What a mode of `peers.py` measures in one go. */
export async function askPeer(
  args: readonly string[],
): Promise<Measured | undefined> {
  await using peer = startPeer(args);
  return await peer?.measure();
}

/** Whether a mode of `peers.py` that measures nothing went through. */
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
