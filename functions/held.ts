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

import { Emu3Error } from "../lib/errors.ts";
import { NotReadyError } from "./refusals.ts";

/** A step of loading. */
export interface Phase {
  /** What is done. */
  readonly name: string;
  /** How long it took; undefined while it lasts. */
  readonly seconds: number | undefined;
}

/** Where a model stands. */
export type HeldState =
  | { readonly state: "unloaded" | "ready"; readonly phases: readonly Phase[] }
  | { readonly state: "loading"; readonly phases: readonly Phase[] }
  | {
    readonly state: "failed";
    readonly phases: readonly Phase[];
    readonly reason: string;
  };

/** Opens the thing, telling which phase begins. */
export type Opener<T> = (phase: (name: string) => void) => Promise<T>;

/** How long a client is told to wait for something that loads. */
const RETRY_AFTER_SECONDS = 2;

/** Something that is opened once. */
export class Held<T extends AsyncDisposable> implements AsyncDisposable {
  readonly #name: string;
  readonly #open: Opener<T>;
  readonly #phases: { name: string; startedAt: number; seconds?: number }[] =
    [];
  #loading: Promise<T> | undefined;
  #value: T | undefined;
  #reason: string | undefined;

  /**
   * Opens nothing yet.
   *
   * @param name For messages.
   */
  constructor(name: string, open: Opener<T>) {
    this.#name = name;
    this.#open = open;
  }

  /** Where it stands. */
  get state(): HeldState {
    const phases = this.#phases.map(({ name, seconds }) => ({ name, seconds }));
    if (this.#reason !== undefined) {
      return { state: "failed", phases, reason: this.#reason };
    }
    if (this.#value !== undefined) return { state: "ready", phases };
    return { state: this.#loading ? "loading" : "unloaded", phases };
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
      RETRY_AFTER_SECONDS,
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
      this.#value = await this.#open((name) => this.#begin(name));
      this.#endPhase();
      return this.#value;
    } catch (error) {
      this.#endPhase();
      // What went wrong inside is for the log, not for clients.
      this.#reason = error instanceof Emu3Error || error instanceof RangeError
        ? error.message
        : "something unexpected happened";
      throw error;
    }
  }

  #begin(name: string): void {
    this.#endPhase();
    this.#phases.push({ name, startedAt: performance.now() });
  }

  #endPhase(): void {
    const phase = this.#phases.at(-1);
    if (phase === undefined || phase.seconds !== undefined) return;
    phase.seconds = (performance.now() - phase.startedAt) / 1000;
  }
}
