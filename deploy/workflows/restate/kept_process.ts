/**
 * A process that is started again when it ends by itself.
 *
 * @module
 */

import { delay } from "../../../lib/async/delay.ts";
import { Child, ChildError, type Program } from "./child_process.ts";

/** Restarts within {@linkcode WINDOW_MS} after which it is given up. */
const MAX_RESTARTS = 5;
const WINDOW_MS = 60_000;

/** Pause before a restart: the port of the ended process becomes free. */
const PAUSE_MS = 500;

/** Outputs and clock of a process. */
export interface KeptOptions {
  /** Takes the lines that it writes. */
  readonly onLine: (line: string) => void;
  /** Reports an end and the restart that follows. */
  readonly say: (line: string) => void;
  /** Clock, in milliseconds. */
  readonly now: () => number;
}

/** A process that serves until it is stopped. */
export class KeptProcess {
  readonly #program: Program;
  readonly #options: KeptOptions;
  readonly #stop = new AbortController();
  readonly #restarts: number[] = [];
  #child: Child;

  /** Starts the process; it may not serve yet. */
  constructor(program: Program, options: KeptOptions) {
    this.#program = program;
    this.#options = options;
    this.#child = new Child(program, options.onLine);
  }

  /** Process id of the present process. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Resolves once it serves, or `signal` aborts.
   *
   * @throws {ChildError} If it ends before.
   */
  ready(signal: AbortSignal): Promise<void> {
    return this.#child.ready(signal);
  }

  /**
   * Starts it again whenever it ends; resolves when it is stopped.
   *
   * @throws {ChildError} If it ends too often, or does not start again.
   */
  async keep(): Promise<void> {
    const { signal } = this.#stop;
    const { say, onLine, now } = this.#options;
    const { name } = this.#program;
    while (!signal.aborted) {
      const reason = await this.#child.ended();
      if (signal.aborted) return;
      this.#countRestart(now(), reason);
      say(`${name} ${reason}; starting it again`);
      await delay(PAUSE_MS, signal);
      if (signal.aborted) return;
      this.#child = new Child(this.#program, onLine);
      await this.#child.ready(signal);
      if (!signal.aborted) say(`${name} serves again`);
    }
  }

  /** Stops it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#child.stop();
  }

  /** Ends it at once, without its own shutdown. */
  kill(): void {
    this.#stop.abort();
    this.#child.kill("SIGKILL");
  }

  #countRestart(time: number, reason: string): void {
    this.#restarts.push(time);
    const since = this.#restarts.at(-1 - MAX_RESTARTS);
    if (since === undefined || time - since > WINDOW_MS) return;
    throw new ChildError(
      this.#program.name,
      `it ${reason}, for the ${MAX_RESTARTS + 1}th time within a minute`,
    );
  }
}
