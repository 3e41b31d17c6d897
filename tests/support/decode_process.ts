/**
 * Decodes a picture in a process of its own, with whatever permissions that
 * has: here and in a thread. Prints what comes of it, as JSON.
 *
 * @module
 */

import { openPicturePool } from "../../lib/image/threads/picture_pool.ts";
import { inPlaceCodec } from "../../lib/image/picture_codec.ts";

/** What became of a picture: why there is none. */
export interface DecodeOutcome {
  /** The error's class, or "none". */
  readonly name: string;
  /** What it says. */
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
