/**
 * Obtains a model in a process of its own, to be killed at any moment.
 *
 * Arguments: source, cache, endpoint. Prints a line whenever it hears how far
 * it is; the last one says what came of it.
 *
 * @module
 */

import { obtain } from "../../deploy/cache/obtain.ts";
import { obtainOptions } from "./obtain_options.ts";

/** What became of an obtain. */
export type Outcome = { readonly folder: string } | {
  readonly error: string;
  readonly name: string;
};

if (import.meta.main) {
  const [source, cache, endpoint] = Deno.args;
  const say = (line: string) =>
    Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  try {
    const folder = await obtain(source!, {
      ...obtainOptions(cache!, endpoint!),
      onProgress: () => say("."),
    });
    say(JSON.stringify({ folder } satisfies Outcome));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { message, name } = error;
    say(JSON.stringify({ error: message, name } satisfies Outcome));
  }
}
