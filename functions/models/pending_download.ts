/**
 * A checkpoint that is being downloaded to this machine.
 *
 * A source is a folder or the name of a remote checkpoint; the caller that
 * starts the server provides the download.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import { Emu3Error } from "../../lib/errors.ts";
import { modelName } from "../../lib/loading/hub_cache.ts";
import type { HeldState } from "./lazy_resource.ts";
import {
  type LoadProgress,
  type PhaseListener,
  PhaseLog,
} from "./load_phases.ts";

/**
 * Downloads a source and returns its folder.
 *
 * @param onProgress Called often with the progress.
 * @param signal Cancels the download.
 * @param needsVision True if the source must include a vision tokenizer, its
 * own or one beside it.
 */
export type Obtain = (
  source: string,
  onProgress: (progress: LoadProgress) => void,
  signal: AbortSignal,
  needsVision: boolean,
) => Promise<string>;

/** Options of a download. */
export interface ObtainedOptions {
  /** Downloads the source. */
  readonly obtain: Obtain;
  /** True if a vision tokenizer must come with it. */
  readonly needsVision: boolean;
  /** Called with its phases. */
  readonly onPhase: PhaseListener;
  /** Cancels the download. */
  readonly signal: AbortSignal;
}

/** A download of a source to a folder. */
export class PendingDownload {
  /** Source as given. */
  readonly source: string;
  /** Name implied by the source until its folder gives one. */
  readonly name: string;
  /** Log of its phases; opening the folder adds to it. */
  readonly log: PhaseLog;
  /** Resolves with the folder once it is complete. */
  readonly folder: Promise<string>;
  #place: string | undefined;
  #reason: string | undefined;

  /** Starts the download at once. */
  constructor(source: string, options: ObtainedOptions) {
    this.source = source;
    this.name = impliedName(source);
    this.log = new PhaseLog(options.onPhase);
    this.folder = this.#get(options);
    // Callers that await it get the error; until then it must not be unhandled.
    this.folder.catch(() => undefined);
  }

  /** Returns the folder if it is complete. */
  peek(): string | undefined {
    return this.#place;
  }

  /** State in the form of an unopened model's. */
  get state(): HeldState {
    const { phases, retryAfterSeconds } = this.log;
    return this.#reason === undefined
      ? { state: "loading", phases, retryAfterSeconds }
      : { state: "failed", phases, reason: this.#reason };
  }

  async #get(
    { obtain, signal, needsVision }: ObtainedOptions,
  ): Promise<string> {
    const follow = (progress: LoadProgress) => this.log.follow(progress);
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
      // Canceled for a reason outside this download.
      if (signal.aborted) throw error;
      // The places that were tried are for the log, not for clients.
      this.#reason = error instanceof Emu3Error
        ? error.message
        : "it cannot be downloaded from its source; see the log";
      throw error;
    } finally {
      this.log.arrived();
    }
  }
}

/** `hf://org/name@revision`, and the same without the scheme. */
const REPOSITORY = /^(?:hf:\/\/)?[\w.-]+\/[\w.-]+?(?=@|$)/;

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Returns the name that a source implies; of mirrors, that of the first. */
export function impliedName(source: string): string {
  if (isAbsolute(source)) return modelName(source);
  const [first] = source.trim().split(/[\s,]+/);
  const repository = REPOSITORY.exec(first!)?.[0];
  if (repository !== undefined) return modelName(repository);
  // A path may have spaces, a URL has none.
  const whole = SCHEME.test(first!) ? first! : source;
  return modelName(whole.replace(/[?#].*$/, ""));
}

/** Returns a key that is equal for every way to write a source. */
export function sourceKey(source: string): string {
  try {
    return Deno.realPathSync(source);
  } catch {
    // No local path: the name of a remote checkpoint.
    return source.replace(/^hf:\/\//, "").replace(/\/+$/, "");
  }
}
