/**
 * A resource that takes time to open, and its state.
 *
 * ```text
 * unloaded ─load()─▶ loading ─▶ ready
 *                       └────▶ failed
 * ```
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";
import type { RunPhase } from "../../lib/loading_phase.ts";
import { type Phase, PhaseLog } from "./load_phases.ts";
import { NotReadyError } from "../http/errors/errors.ts";

/** The state of a resource. */
export type HeldState =
  | { readonly state: "unloaded" | "ready"; readonly phases: readonly Phase[] }
  | {
    readonly state: "loading";
    readonly phases: readonly Phase[];
    /** Seconds until a retry may succeed. */
    readonly retryAfterSeconds: number;
  }
  | {
    readonly state: "failed";
    readonly phases: readonly Phase[];
    readonly reason: string;
  };

/** Opens the resource, in one phase after another or several at once. */
export type Opener<T> = (runPhase: RunPhase) => Promise<T>;

/** A resource that is opened once. */
export class LazyResource<T extends AsyncDisposable>
  implements AsyncDisposable {
  readonly #name: string;
  readonly #open: Opener<T>;
  readonly #log: PhaseLog;
  #loading: Promise<T> | undefined;
  #value: T | undefined;
  #reason: string | undefined;

  /**
   * Creates an unopened resource.
   *
   * @param name Name for messages.
   * @param log Log that the phases of opening are added to.
   */
  constructor(name: string, open: Opener<T>, log: PhaseLog = new PhaseLog()) {
    this.#name = name;
    this.#open = open;
    this.#log = log;
  }

  /** State of the resource. */
  get state(): HeldState {
    const { phases, retryAfterSeconds } = this.#log;
    if (this.#reason !== undefined) {
      return { state: "failed", phases, reason: this.#reason };
    }
    if (this.#value !== undefined) return { state: "ready", phases };
    return this.#loading === undefined
      ? { state: "unloaded", phases }
      : { state: "loading", phases, retryAfterSeconds };
  }

  /** Opens the resource once; later calls return the same promise. */
  load(): Promise<T> {
    this.#loading ??= this.#run();
    return this.#loading;
  }

  /**
   * Returns the opened resource.
   *
   * @throws {NotReadyError} If it is not open yet, or failed to open.
   */
  get(): T {
    if (this.#value !== undefined) return this.#value;
    if (this.#reason !== undefined) {
      throw new NotReadyError(
        `Cannot use model "${this.#name}": it failed to load: ${this.#reason}`,
      );
    }
    throw new NotReadyError(
      `Cannot use model "${this.#name}": it is still loading`,
      this.#log.retryAfterSeconds,
    );
  }

  /** Returns the opened resource, or undefined if it is not open. */
  peek(): T | undefined {
    return this.#value;
  }

  /** Closes the resource, after it has loaded. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await (await this.#loading)?.[Symbol.asyncDispose]();
    } catch {
      // It never opened, as its state shows: there is nothing to close.
    }
  }

  async #run(): Promise<T> {
    try {
      this.#value = await this.#open(this.#log.run);
      return this.#value;
    } catch (error) {
      this.#reason = reasonOf(error);
      throw error;
    }
  }
}

/** Returns the public reason of a failed load: details are for the log only. */
export function reasonOf(error: unknown): string {
  return error instanceof Emu3Error || error instanceof RangeError
    ? error.message
    : "an unexpected error occurred; see the log";
}
