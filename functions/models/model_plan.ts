/**
 * Which models a server needs, and what for: settled before any is opened.
 *
 * @module
 */

import { CheckpointError } from "../../lib/errors.ts";
import { findVisionFolder } from "../../lib/loading/checkpoint.ts";
import { hubCommit, modelName } from "../../lib/loading/hub_cache.ts";
import { folderFingerprint } from "./fingerprint.ts";
import type { FunctionName } from "../schema/function_names.ts";
import { sourceKey } from "./pending_download.ts";

/** A folder. */
export interface Place {
  /** As it was given. */
  readonly folder: string;
  /** The same for every way to write it. */
  readonly key: string;
  /** What requests call the model. */
  readonly name: string;
  /** Commit of its repository; undefined when nothing says it. */
  readonly revision: string | undefined;
  /** Differs when its files do. */
  readonly fingerprint: string;
}

/** A language model, its vision tokenizer, and what they do. */
export interface PlannedModels {
  /** Tokens. */
  readonly language: Place;
  /** Pixels. */
  readonly vision: Place;
  /** Whether it serves `generate`. */
  readonly draws: boolean;
  /** Whether it serves `caption`. */
  readonly answers: boolean;
}

/** What a vision tokenizer is loaded for. */
export type Direction = "encode" | "decode";

/** All models of a server. */
export interface ModelPlan {
  /** The first is asked when a request names none. */
  readonly seats: readonly PlannedModels[];
  /** What to load of each vision tokenizer, by key. */
  readonly directions: ReadonlyMap<string, ReadonlySet<Direction>>;
}

/** Strings that name checkpoints, or the folders that these have become. */
export interface Sources {
  /** Draws. */
  readonly gen: string;
  /** Answers. */
  readonly chat: string;
  /** For both; undefined for the one that belongs to each. */
  readonly vision: string | undefined;
}

/** A language model that is wanted, and what for. */
export interface WantedLanguage {
  /** As it was named. */
  readonly source: string;
  /** Whether it serves `generate`. */
  readonly draws: boolean;
  /** Whether it serves `caption`. */
  readonly answers: boolean;
}

/** The same once it is here. */
export interface HereLanguage extends Omit<WantedLanguage, "source"> {
  /** Where it is. */
  readonly folder: string;
}

/** The language models that `functions` need, each once. */
export function wantedLanguages(
  { gen, chat }: Sources,
  functions: ReadonlySet<FunctionName>,
): readonly WantedLanguage[] {
  const draws = functions.has("generate");
  const answers = functions.has("caption");
  if (sourceKey(gen) === sourceKey(chat)) {
    return [{ source: gen, draws, answers }];
  }
  // A model that serves nothing by itself still has a tokenizer, which is
  // wanted only where no other model is served.
  return [
    ...(draws || !answers ? [{ source: gen, draws, answers: false }] : []),
    ...(answers || !draws ? [{ source: chat, draws: false, answers }] : []),
  ];
}

/**
 * What all of `functions` together ask of a vision tokenizer.
 */
export function directionsOf(
  functions: ReadonlySet<FunctionName>,
): ReadonlySet<Direction> {
  const directions = new Set<Direction>();
  if (functions.has("tokenize") || functions.has("caption")) {
    directions.add("encode");
  }
  if (functions.has("detokenize") || functions.has("generate")) {
    directions.add("decode");
  }
  return directions;
}

/**
 * The models that `functions` need, of those that are here.
 *
 * @param vision Folder of the tokenizer for all; undefined for the one that
 * belongs to each.
 * @throws {CheckpointError} When a folder is missing.
 */
export async function planLineup(
  languages: readonly HereLanguage[],
  vision: string | undefined,
  functions: ReadonlySet<FunctionName>,
): Promise<ModelPlan> {
  const seats = new Map<string, PlannedModels>();
  for (const { folder, draws, answers } of languages) {
    const language = await place(folder);
    const same = seats.get(language.key);
    seats.set(language.key, {
      language: same?.language ?? language,
      vision: same?.vision ??
        await place(vision ?? await findVisionFolder(folder)),
      draws: draws || same?.draws === true,
      answers: answers || same?.answers === true,
    });
  }
  return lineup([...seats.values()], functions);
}

function lineup(
  seats: readonly PlannedModels[],
  functions: ReadonlySet<FunctionName>,
): ModelPlan {
  const directions = new Map<string, Set<Direction>>();
  const add = ({ key }: Place, direction: Direction) => {
    const known = directions.get(key) ?? new Set();
    directions.set(key, known.add(direction));
  };
  const [first] = seats;
  if (functions.has("tokenize")) add(first!.vision, "encode");
  if (functions.has("detokenize")) add(first!.vision, "decode");
  for (const { vision, draws, answers } of seats) {
    if (draws) add(vision, "decode");
    if (answers) add(vision, "encode");
  }
  return { seats, directions };
}

async function place(folder: string): Promise<Place> {
  try {
    const key = await Deno.realPath(folder);
    const revision = hubCommit(folder);
    const fingerprint = revision ?? await folderFingerprint(key);
    return { folder, key, name: modelName(folder), revision, fingerprint };
  } catch (cause) {
    throw new CheckpointError(folder, "there is no such folder", { cause });
  }
}
