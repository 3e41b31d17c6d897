/**
 * The listing of models by name: a folder that holds a language model and a
 * vision tokenizer is one entry.
 *
 * @module
 */

import type { FunctionName } from "../schema/common.ts";
import type { OpenedLanguageModel } from "../../lib/language_model.ts";
import type { VisionCheckpoint } from "../../lib/loading/checkpoint.ts";
import type { HeldState } from "./lazy_resource.ts";
import type { PlannedModels } from "./model_plan.ts";
import type {
  EngineListing,
  ModelListing,
  PreprocessingListing,
} from "./ports.ts";

/** The state of a model that no request has used. */
export const UNLOADED: HeldState = { state: "unloaded", phases: [] };

/** Returns the functions that a language model serves. */
export function languageCapabilities(
  { draws, answers }: Pick<PlannedModels, "draws" | "answers">,
): string[] {
  return [
    ...(draws ? ["generate"] as const : []),
    ...(answers ? ["caption"] as const : []),
    // Pictures are scored by the head that draws, answers by the one that
    // answers.
    ...(draws || answers ? ["score"] as const : []),
  ];
}

/** Returns the functions that a vision tokenizer serves by itself. */
export function visionCapabilities(
  functions: ReadonlySet<FunctionName>,
): FunctionName[] {
  return (["tokenize", "detokenize"] as const)
    .filter((name) => functions.has(name));
}

/** Returns the engine state of an open language model. */
export function engineListing(
  { engine, cache }: Pick<OpenedLanguageModel, "engine" | "cache">,
): EngineListing {
  return {
    ...engine.state,
    cacheDtype: cache.dtype,
    cacheTokenBytes: cache.tokenBytes,
  };
}

/** Returns the preprocessing of a vision tokenizer; undefined if closed. */
export function preprocessingListing(
  opened:
    | Pick<VisionCheckpoint, "preprocessor" | "preprocessorFiles">
    | undefined,
): PreprocessingListing | undefined {
  return opened && { ...opened.preprocessor, files: opened.preprocessorFiles };
}

/** Merges listings of the same name, in the order of their first. */
export function mergeListings(
  parts: readonly ModelListing[],
): readonly ModelListing[] {
  const byName = Map.groupBy(parts, ({ name }) => name);
  return [...byName.values()].map((same) => same.reduce(merge));
}

/** States in order of precedence: the first of two merged ones is shown. */
const ORDER = ["failed", "loading", "ready", "unloaded"] as const;

function merge(a: ModelListing, b: ModelListing): ModelListing {
  const rank = ({ state }: ModelListing) => ORDER.indexOf(state.state);
  return {
    ...a,
    capabilities: [...new Set([...a.capabilities, ...b.capabilities])],
    state: rank(a) <= rank(b) ? a.state : b.state,
    revision: a.revision ?? b.revision,
    adapters: [...new Set([...a.adapters ?? [], ...b.adapters ?? []])],
    clips: a.clips ?? b.clips,
    details: a.details ?? b.details,
    engine: a.engine ?? b.engine,
    preprocessing: a.preprocessing ?? b.preprocessing,
  };
}
