/**
 * The command `models list`: lists the contents of the caches.
 *
 * @module
 */

import { cachedModels } from "./cached_models.ts";
import { formatBytes } from "../cache/progress.ts";
import type { Report } from "./report.ts";

/** Reports every revision in `caches`, and unfinished downloads. */
export async function list(
  caches: readonly string[],
  report: Report,
): Promise<void> {
  // A folder with neither is not a model.
  const models = (await cachedModels(caches)).filter(({ revisions, loose }) =>
    revisions.length > 0 || loose.some(({ partial }) => partial)
  );
  for (const { name, cache, revisions, loose, usedMs } of models) {
    const lastUsed = new Date(usedMs).toISOString();
    for (const { commit, refs, bytes, complete, folder } of revisions) {
      const state = complete ? "complete" : "partial";
      report.event(
        {
          event: "model",
          name,
          revision: commit,
          refs,
          bytes,
          state,
          last_used: lastUsed,
          folder,
        },
        `${name}  ${[commit.slice(0, 12), ...refs].join(" ")}  ${
          formatBytes(bytes)
        }  ${state}  last used ${lastUsed.slice(0, 10)}`,
      );
    }
    const unfinished = loose.filter(({ partial }) => partial);
    if (unfinished.length === 0) continue;
    const bytes = unfinished.reduce((sum, { bytes }) => sum + bytes, 0);
    report.event(
      { event: "unfinished", name, files: unfinished.length, bytes, cache },
      `${name}  unfinished: ${unfinished.length} files, ${
        formatBytes(bytes)
      } so far; pull it again to resume, or remove it with prune --partial`,
    );
  }
  report.event(
    { event: "listed", models: models.length, caches },
    models.length === 0
      ? `No models in ${caches.join(", ")}`
      : `${models.length} ${models.length === 1 ? "model" : "models"} in ${
        caches.join(", ")
      }`,
  );
}
