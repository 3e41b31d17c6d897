/**
 * Something that takes time to open, and what state it is in.
 *
 * ```text
 * unloaded ─load()─▶ loading ─▶ ready
 *                       └────▶ failed
 * ```
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";
import type { Stage } from "../../lib/stage.ts";
import { type Phase, PhaseLog } from "./load_phases.ts";
import { NotReadyError } from "../http/errors/errors.ts";

/** Where a model stands. */
export type HeldState =
  | { readonly state: "unloaded" | "ready"; readonly phases: readonly Phase[] }
  | {
    readonly state: "loading";
    readonly phases: readonly Phase[];
    /** When asking again may help. */
    readonly retryAfterSeconds: number;
  }
  | {
    readonly state: "failed";
    readonly phases: readonly Phase[];
    readonly reason: string;
  };

/** Opens the thing, a stage after the other or several at once. */
export type Opener<T> = (stage: Stage) => Promise<T>;

/** Something that is opened once. */
export class LazyResource<T extends AsyncDisposable>
  implements AsyncDisposable {
  readonly #name: string;
  readonly #open: Opener<T>;
  readonly #log: PhaseLog;
  #loading: Promise<T> | undefined;
  #value: T | undefined;
  #reason: string | undefined;

  /**
   * Opens nothing yet.
   *
   * @param name For messages.
   * @param log Where its phases are noted, after those that it has.
   */
  constructor(name: string, open: Opener<T>, log: PhaseLog = new PhaseLog()) {
    this.#name = name;
    this.#open = open;
    this.#log = log;
  }

  /** Where it stands. */
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

  /** Opens it, once; whoever calls again gets the same. */
  load(): Promise<T> {
    this.#loading ??= this.#run();
    return this.#loading;
  }

  /**
   * The opened thing.
   *
   * @throws {NotReadyError} When it is not there yet, or never will be.
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

  /** The opened thing, if it is there. */
  peek(): T | undefined {
    return this.#value;
  }

  /** Closes it, after it has loaded. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await (await this.#loading)?.[Symbol.asyncDispose]();
    } catch {
      // It never opened, as its state says: there is nothing to close.
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

/** Why something failed to load: what went wrong inside is for the log only. */
export function reasonOf(error: unknown): string {
  return error instanceof Emu3Error || error instanceof RangeError
    ? error.message
    : "something unexpected happened";
}
