/**
 * `models pull`: models come into the cache.
 *
 * @module
 */

import type { Places } from "../cache/locate.ts";
import { obtain, type ObtainProgress } from "../cache/obtain.ts";
import type { Report } from "./report.ts";

const DOING: Readonly<Record<ObtainProgress["phase"], string>> = {
  resolve: "looking for",
  wait: "waiting for another process that gets",
  download: "getting",
  verify: "verifying",
};

/**
 * Gets `sources`, one after the other: each takes the whole line.
 *
 * @throws {SourceError} When no place has one.
 */
export async function pull(
  sources: readonly string[],
  places: Places,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  for (const source of sources) {
    const shown = withoutQuery(source);
    const folder = await obtain(source, {
      places,
      onProgress: ({ phase, bytes, totalBytes }) =>
        report.progress({
          what: `${DOING[phase]} ${shown}`,
          bytes,
          totalBytes,
        }),
      signal,
    });
    const event = { event: "pulled", source: shown, folder };
    report.tell(event, `${shown} is in ${folder}`);
  }
}

/** A source as others may see it. */
function withoutQuery(source: string): string {
  return source.replaceAll(/\?\S*/g, "").replaceAll(/\/\/[^\s/@]+@/g, "//");
}
