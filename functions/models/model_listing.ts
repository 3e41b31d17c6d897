/**
 * How models are listed: by name, so that a folder which holds a language model
 * and a vision tokenizer is one of them.
 *
 * @module
 */

import type { FunctionName } from "../schema/function_names.ts";
import type { OpenedLanguageModel } from "../../lib/language_model.ts";
import type { VisionCheckpoint } from "../../lib/loading/checkpoint.ts";
import type { HeldState } from "./lazy_resource.ts";
import type { PlannedModels } from "./model_plan.ts";
import type {
  EngineListing,
  ModelListing,
  PreprocessingListing,
} from "./ports.ts";

/** The state of what nobody has asked for. */
export const UNLOADED: HeldState = { state: "unloaded", phases: [] };

/** What a language model does. */
export function languageCapabilities(
  { draws, answers }: Pick<PlannedModels, "draws" | "answers">,
): string[] {
  return [
    ...(draws ? ["generate"] as const : []),
    ...(answers ? ["caption"] as const : []),
    // Pictures are judged where they are drawn, answers where they are given.
    ...(draws || answers ? ["score"] as const : []),
  ];
}

/** What a vision tokenizer does by itself. */
export function visionCapabilities(
  functions: ReadonlySet<FunctionName>,
): FunctionName[] {
  return (["tokenize", "detokenize"] as const)
    .filter((name) => functions.has(name));
}

/** Where the engine of an open language model stands. */
export function engineListing(
  { engine, cache }: Pick<OpenedLanguageModel, "engine" | "cache">,
): EngineListing {
  return {
    ...engine.state,
    cacheDtype: cache.dtype,
    cacheTokenBytes: cache.tokenBytes,
  };
}

/** The preprocessing of an open vision tokenizer; undefined for a closed one. */
export function preprocessingListing(
  opened:
    | Pick<VisionCheckpoint, "preprocessor" | "preprocessorFiles">
    | undefined,
): PreprocessingListing | undefined {
  return opened && { ...opened.preprocessor, files: opened.preprocessorFiles };
}

/** Listings of one name become one, in the order of their first. */
export function mergeListings(
  parts: readonly ModelListing[],
): readonly ModelListing[] {
  const byName = Map.groupBy(parts, ({ name }) => name);
  return [...byName.values()].map((same) => same.reduce(merge));
}

/** Which state says more about what cannot be done yet. */
const ORDER = ["failed", "loading", "ready", "unloaded"] as const;

function merge(a: ModelListing, b: ModelListing): ModelListing {
  const rank = ({ state }: ModelListing) => ORDER.indexOf(state.state);
  return {
    ...a,
    capabilities: [...new Set([...a.capabilities, ...b.capabilities])],
    state: rank(a) <= rank(b) ? a.state : b.state,
    revision: a.revision ?? b.revision,
    details: a.details ?? b.details,
    engine: a.engine ?? b.engine,
    preprocessing: a.preprocessing ?? b.preprocessing,
  };
}
