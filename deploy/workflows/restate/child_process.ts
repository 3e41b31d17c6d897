/**
 * The child processes of `task workflows`: started until they serve, read line
 * by line, and stopped.
 *
 * Each has a process group of its own, so that a Ctrl+C in the terminal reaches
 * the command alone, which stops them in order.
 *
 * @module
 */

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { delay } from "../../../lib/async/delay.ts";
import { Emu3Error } from "../../../lib/errors.ts";

/** A program to run. */
export interface Program {
  /** Name, for messages. */
  readonly name: string;
  /** Path of the program. */
  readonly file: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its variables. */
  readonly env: Readonly<Record<string, string>>;
  /** True to give it no other variables. */
  readonly clearEnv: boolean;
  /** Pattern of the line that it writes once it serves, or a question for it. */
  readonly ready: RegExp | ((signal: AbortSignal) => Promise<boolean>);
  /**
   * False to share the process group, as tests do: what ends them by a signal to
   * their group ends it as well. True by default.
   */
  readonly detached?: boolean;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly graceMs: number;
}

/** An error for a process that ended before it served. */
export class ChildError extends Emu3Error {
  /** Creates the error from the name of the process and the reason. */
  constructor(name: string, reason: string) {
    super("child-ended", `Cannot start ${name}: ${reason}`);
  }
}

/** Pause between two questions for readiness. */
const POLL_MS = 50;

/** Longest wait for output after the end of a process. */
const DRAIN_MS = 500;

/** Lines of output that the message of a failure holds. */
const LAST_LINES = 5;

/** A running process. */
export class Child {
  readonly #program: Program;
  readonly #process: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #read: Promise<unknown>;
  #ended = false;
  #announced = false;

  /** Starts the process; `onLine` takes its output. */
  constructor(program: Program, onLine: (line: string) => void) {
    const { file, args, env, clearEnv, detached = true } = program;
    this.#program = program;
    this.#process = new Deno.Command(file, {
      args: [...args],
      env: { ...env },
      clearEnv,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached,
    }).spawn();
    const { stdout, stderr, status } = this.#process;
    const take = (line: string) => {
      this.#lines.push(line);
      if (this.#lines.length > LAST_LINES) this.#lines.shift();
      this.#announced ||= program.ready instanceof RegExp &&
        program.ready.test(line);
      onLine(line);
    };
    this.#read = Promise.all([stdout, stderr].map(async (stream) => {
      const input = Readable.from(stream);
      for await (const line of createInterface({ input })) take(line);
    }));
    void status.then(() => this.#ended = true);
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves with the reason when the process has ended. */
  async ended(): Promise<string> {
    const { code, signal } = await this.#process.status;
    // A process that it started may hold its output open.
    await Promise.race([this.#read, delay(DRAIN_MS)]);
    return signal === null ? `exited with ${code}` : `was ended by ${signal}`;
  }

  /**
   * Resolves once it serves, or `signal` aborts.
   *
   * @throws {ChildError} If it ends before.
   */
  async ready(signal: AbortSignal): Promise<void> {
    const { name, ready } = this.#program;
    const isReady = ready instanceof RegExp
      ? () => Promise.resolve(this.#announced)
      : () => ready(signal).catch(() => false);
    while (!signal.aborted && !this.#ended) {
      if (await isReady()) return;
      await delay(POLL_MS, signal);
    }
    if (signal.aborted) return;
    const reason = await this.ended();
    throw new ChildError(name, [`it ${reason}`, ...this.#lines].join("\n"));
  }

  /**
   * Sends a signal, unless the process has ended; SIGKILL also to the processes
   * that it started, which would be left.
   */
  kill(signal: Deno.Signal): void {
    if (this.#ended) return;
    try {
      const { detached = true } = this.#program;
      if (signal === "SIGKILL" && detached) Deno.kill(-this.pid, signal);
      else this.#process.kill(signal);
    } catch (error) {
      // It ended by itself.
      const gone = error instanceof TypeError ||
        error instanceof Deno.errors.NotFound;
      if (!gone) throw error;
    }
  }

  /** Stops the process: SIGTERM, and SIGKILL after its grace. */
  async stop(): Promise<void> {
    const done = new AbortController();
    const ended = this.ended().finally(() => done.abort());
    this.kill("SIGTERM");
    await delay(this.#program.graceMs, done.signal);
    this.kill("SIGKILL");
    await ended;
  }
}
