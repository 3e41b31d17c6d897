/**
 * What of a cache may go.
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

/** What of one model goes. */
export interface PrunePlan {
  /** The model. */
  readonly model: CachedModel;
  /** Whether all of it goes. */
  readonly whole: boolean;
  /** Revisions that go. */
  readonly revisions: readonly CachedRevision[];
  /** Blobs that go: loose ones, and those of these revisions alone. */
  readonly files: readonly LooseFile[];
}

/**
 * Plans what goes of `model`; undefined when nothing does.
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
  // What no name leads to; the only revision may be meant by its commit.
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
