/**
 * A process that decodes a picture with its own permissions, inline and in a
 * thread, and prints the outcome as JSON.
 *
 * @module
 */

import { openPicturePool } from "../../lib/image/threads/picture_pool.ts";
import { inPlaceCodec } from "../../lib/image/picture_codec.ts";

/** The outcome of decoding a picture. */
export interface DecodeOutcome {
  /** Class of the error, or "none". */
  readonly name: string;
  /** Message of the error. */
  readonly message: string;
}

if (import.meta.main) {
  const bytes = await Deno.readFile(Deno.args[0]!);
  await using worker = openPicturePool({
    now: () => performance.now(),
  });
  const outcomes: DecodeOutcome[] = [];
  for (const codec of [inPlaceCodec, worker]) {
    try {
      const options = { decode: "display", maxPixels: 1e6 } as const;
      await codec.decodeImage(bytes, options);
      outcomes.push({ name: "none", message: "" });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const { name, message } = error;
      outcomes.push({ name, message });
    }
  }
  const line = JSON.stringify(outcomes);
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}
