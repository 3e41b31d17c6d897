/**
 * The command `models pull`: downloads models into the cache.
 *
 * @module
 */

import type { Places } from "../cache/locate.ts";
import { obtain } from "../cache/obtain.ts";
import { withoutSecrets } from "../cache/source.ts";
import type { Report } from "./report.ts";
import type { ObtainProgress } from "../cache/progress.ts";

const DOING: Readonly<Record<ObtainProgress["phase"], string>> = {
  resolve: "looking for",
  wait: "waiting for another process that downloads",
  download: "downloading",
  verify: "verifying",
};

/**
 * Downloads `sources` one after the other, since each can use the whole
 * bandwidth.
 *
 * @throws {SourceError} When no source has one of them.
 */
export async function pull(
  sources: readonly string[],
  places: Places,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  for (const source of sources) {
    const folder = await bring(source, places, report, signal);
    const shown = withoutQuery(source);
    const event = { event: "pulled", source: shown, folder };
    report.event(event, `${shown} is in ${folder}`);
  }
}

/**
 * Returns the folder of `source`, after a reported download if it is missing.
 *
 * @throws {SourceError} When no source has it.
 */
export async function bring(
  source: string,
  places: Places,
  report: Report,
  signal: AbortSignal,
): Promise<string> {
  const shown = withoutQuery(source);
  return await obtain(source, {
    places,
    onProgress: ({ phase, bytes, totalBytes }) =>
      report.progress({ what: `${DOING[phase]} ${shown}`, bytes, totalBytes }),
    onNotice: (notice) =>
      report.event({ event: "notice", source: shown, notice }, notice),
    signal,
  });
}

/** Returns one or several sources without their secrets. */
export function withoutQuery(source: string): string {
  return source.split(/([\s,]+)/).map(withoutSecrets).join("");
}
