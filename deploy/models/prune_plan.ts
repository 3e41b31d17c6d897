/**
 * The plan of a prune: the parts of a cache that may be removed.
 *
 * @module
 */

import { withoutSecrets } from "../cache/source.ts";
import type { PruneArguments } from "./arguments.ts";
import type {
  CachedModel,
  CachedRevision,
  LooseFile,
} from "./cached_models.ts";

/** The removals of one model. */
export interface PrunePlan {
  /** Model in the cache. */
  readonly model: CachedModel;
  /** True if the whole model is removed. */
  readonly whole: boolean;
  /** Revisions that are removed. */
  readonly revisions: readonly CachedRevision[];
  /** Blobs that are removed: loose ones, and those of these revisions alone. */
  readonly files: readonly LooseFile[];
}

/**
 * Plans the removals of `model`; returns undefined when there are none.
 */
export function planPrune(
  model: CachedModel,
  { keep, olderThanMs, partial }: PruneArguments,
  nowMs: number,
): PrunePlan | undefined {
  if (keep.some((name) => isNamed(model, name))) return undefined;
  const unfinished = model.loose.filter((file) => file.partial);
  if (partial) {
    return unfinished.length === 0
      ? undefined
      : { model, whole: false, revisions: [], files: unfinished };
  }
  if (model.empty) return { model, whole: true, revisions: [], files: [] };
  if (olderThanMs !== undefined && nowMs - model.usedMs > olderThanMs) {
    const { revisions, loose } = model;
    return { model, whole: true, revisions, files: loose };
  }
  // Revisions without a name; a single one may be in use by commit.
  const revisions = model.revisions.length === 1
    ? []
    : model.revisions.filter(({ refs }) => refs.length === 0);
  const files = model.loose.filter((file) => !file.partial);
  return revisions.length === 0 && files.length === 0
    ? undefined
    : { model, whole: false, revisions, files };
}

function isNamed({ name }: CachedModel, wanted: string): boolean {
  const plain = wanted.replace(/^hf:\/\//, "").replace(/@[^@]*$/, "");
  return name.toLowerCase() === plain.toLowerCase() ||
    name === withoutSecrets(wanted).replace(/\/+$/, "");
}
