/**
 * A running program with piped output, which never outlives its use.
 *
 * @module
 */

/** The end of a program. */
export interface ProgramEnd {
  /** Exit code; 128 and more for a signal. */
  readonly code: number;
  /** Beginning of the error output. */
  readonly errorOutput: string;
}

/** The maximum length of a kept error output, in bytes. */
const MAX_ERROR_BYTES = 2 ** 17;

/** Runs a program without input; it is killed by its signal or on disposal. */
export class Program implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #signal: AbortSignal;
  readonly #errorOutput: Promise<Uint8Array<ArrayBuffer>>;
  readonly #kill = () => {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  };

  /**
   * Starts `path`.
   *
   * @throws The signal's reason if it has aborted.
   */
  constructor(path: string, args: readonly string[], signal: AbortSignal) {
    signal.throwIfAborted();
    this.#signal = signal;
    this.#process = new Deno.Command(path, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#errorOutput = readUpTo(this.#process.stderr, MAX_ERROR_BYTES);
    signal.addEventListener("abort", this.#kill);
  }

  /** Output of the program; it waits while the output is not read. */
  get output(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#process.stdout;
  }

  /** Waits for the end of the program, whose output has been read. */
  async end(): Promise<ProgramEnd> {
    const [{ code }, errorOutput] = await Promise.all([
      this.#process.status,
      this.#errorOutput,
    ]);
    return { code, errorOutput: new TextDecoder().decode(errorOutput).trim() };
  }

  /** Kills the program if it runs, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#kill);
    this.#kill();
    if (!this.output.locked) await this.output.cancel();
    await this.end();
  }
}

/**
 * Returns the first `maxBytes` bytes of a stream; the rest is read and dropped,
 * so that the writer never blocks on a full pipe.
 */
export async function readUpTo(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
  onExcess: () => void = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of stream) {
    if (length > maxBytes) continue;
    length += part.length;
    parts.push(part);
    if (length > maxBytes) onExcess();
  }
  return await new Blob(parts).bytes();
}
