/**
 * Obtains a model in a process of its own, to be killed at any moment.
 *
 * Arguments: source, cache, endpoint, and what of {@linkcode impatient} is
 * otherwise, in JSON. Prints a line whenever it hears how far
 * it is; the last one says what came of it.
 *
 * @module
 */

import { obtain } from "../../deploy/cache/obtain.ts";
import { impatient, obtainOptions } from "./obtain_options.ts";

/** What became of an obtain. */
export type Outcome = { readonly folder: string } | {
  readonly error: string;
  readonly name: string;
};

/** The options of an effort in a process of its own. */
export interface OtherEffort {
  /** Bytes of a part of any file. */
  readonly partBytes: number;
  /** Without a byte for so long a connection counts as dead. */
  readonly stallMs: number;
  /** Threads that fetch. */
  readonly workers: number;
}

/** The usual effort of tests but for what `other` says. */
export function effortOf(other: Partial<OtherEffort>): typeof impatient {
  const { partBytes, stallMs = impatient.patience.stallMs } = other;
  return {
    ...impatient,
    workers: other.workers ?? impatient.workers,
    patience: { ...impatient.patience, stallMs },
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
      effort: effortOf(JSON.parse(other)),
      onProgress: () => say("."),
    });
    say(JSON.stringify({ folder } satisfies Outcome));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { message, name } = error;
    say(JSON.stringify({ error: message, name } satisfies Outcome));
  }
}
