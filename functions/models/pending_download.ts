/**
 * A checkpoint on its way to this machine.
 *
 * A source is a folder, or the name of something that is elsewhere; whoever
 * starts the server says how the one becomes the other.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import { Emu3Error } from "../../lib/errors.ts";
import { modelName } from "../../lib/loading/hub_cache.ts";
import type { HeldState } from "./lazy_resource.ts";
import { type PhaseListener, PhaseLog, type Progress } from "./load_phases.ts";

/**
 * The folder of a source.
 *
 * @param onProgress Hears how far it is, often.
 * @param signal Gives it up.
 * @param needsVision Whether it is of no use without a vision tokenizer, its own
 * or one beside it.
 */
export type Obtain = (
  source: string,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  needsVision: boolean,
) => Promise<string>;

/** How it is had. */
export interface ObtainedOptions {
  /** Gets it. */
  readonly obtain: Obtain;
  /** Whether it is of no use without a vision tokenizer beside it. */
  readonly needsVision: boolean;
  /** Hears of its phases. */
  readonly onPhase: PhaseListener;
  /** Gives it up. */
  readonly signal: AbortSignal;
}

/** A source that becomes a folder. */
export class PendingDownload {
  /** As it was given. */
  readonly source: string;
  /** What it is called until its folder says it. */
  readonly name: string;
  /** What is done for it; whoever opens the folder goes on with it. */
  readonly log: PhaseLog;
  /** Where it is, once it is there. */
  readonly folder: Promise<string>;
  #place: string | undefined;
  #reason: string | undefined;

  /** Starts at once. */
  constructor(source: string, options: ObtainedOptions) {
    this.source = source;
    this.name = impliedName(source);
    this.log = new PhaseLog(options.onPhase);
    this.folder = this.#get(options);
    // Whoever awaits it is told; until then it must not count as unhandled.
    this.folder.catch(() => undefined);
  }

  /** Where it is, if it is there. */
  peek(): string | undefined {
    return this.#place;
  }

  /** As that of a model which nobody has opened yet. */
  get state(): HeldState {
    const { phases, retryAfterSeconds } = this.log;
    return this.#reason === undefined
      ? { state: "loading", phases, retryAfterSeconds }
      : { state: "failed", phases, reason: this.#reason };
  }

  async #get(
    { obtain, signal, needsVision }: ObtainedOptions,
  ): Promise<string> {
    const follow = (progress: Progress) => this.log.follow(progress);
    try {
      follow({
        phase: "resolve",
        bytes: 0,
        totalBytes: undefined,
        place: this.source,
      });
      this.#place = await obtain(this.source, follow, signal, needsVision);
      return this.#place;
    } catch (error) {
      // Given up for a reason that is not its own.
      if (signal.aborted) throw error;
      // Where it was looked for is for the log, not for clients.
      this.#reason = error instanceof Emu3Error
        ? error.message
        : "it cannot be had from where it is said to be";
      throw error;
    } finally {
      this.log.arrived();
    }
  }
}

/** `hf://org/name@revision`, and the same without the scheme. */
const REPOSITORY = /^(?:hf:\/\/)?[\w.-]+\/[\w.-]+?(?=@|$)/;

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** What a source that is not here yet will be called; the first of mirrors. */
export function impliedName(source: string): string {
  if (isAbsolute(source)) return modelName(source);
  const [first] = source.trim().split(/[\s,]+/);
  const repository = REPOSITORY.exec(first!)?.[0];
  if (repository !== undefined) return modelName(repository);
  // A path may have spaces, a URL has none.
  const whole = SCHEME.test(first!) ? first! : source;
  return modelName(whole.replace(/[?#].*$/, ""));
}

/** The same for every way to write a source. */
export function sourceKey(source: string): string {
  try {
    return Deno.realPathSync(source);
  } catch {
    // Not here: the name of something that is elsewhere.
    return source.replace(/^hf:\/\//, "").replace(/\/+$/, "");
  }
}
