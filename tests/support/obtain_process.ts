/**
 * A process that downloads a model and can be killed at any moment.
 *
 * Arguments: source, cache, endpoint, and the changes to {@linkcode fastRetries}
 * in JSON. Prints a line for each progress report; the last one is the outcome.
 *
 * @module
 */

import { obtain } from "../../deploy/cache/obtain.ts";
import { fastRetries, obtainOptions } from "./obtain_options.ts";

/** The outcome of a download. */
export type Outcome = { readonly folder: string } | {
  readonly error: string;
  readonly name: string;
};

/** The transfer options of a download in another process. */
export interface OtherTransferOptions {
  /** Bytes of a part of any file. */
  readonly partBytes: number;
  /** Time without a byte after which a connection counts as dead. */
  readonly stallMs: number;
  /** Count of fetching threads. */
  readonly workers: number;
}

/** Returns the usual transfer options of tests, changed by `other`. */
export function effortOf(
  other: Partial<OtherTransferOptions>,
): typeof fastRetries {
  const { partBytes, stallMs = fastRetries.retryPolicy.stallMs } = other;
  return {
    ...fastRetries,
    workers: other.workers ?? fastRetries.workers,
    retryPolicy: { ...fastRetries.retryPolicy, stallMs },
    ...partBytes === undefined ? {} : { partBytes: () => partBytes },
  };
}

if (import.meta.main) {
  const [source, cache, endpoint, other = "{}"] = Deno.args;
  const say = (line: string) =>
    Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  try {
    const folder = await obtain(source!, {
      ...obtainOptions(cache!, endpoint!),
      transferOptions: effortOf(JSON.parse(other)),
      onProgress: () => say("."),
    });
    say(JSON.stringify({ folder } satisfies Outcome));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { message, name } = error;
    say(JSON.stringify({ error: message, name } satisfies Outcome));
  }
}
