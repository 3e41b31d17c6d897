/**
 * The plan of a server: the models that it needs and their purposes, before any
 * is opened.
 *
 * @module
 */

import type { NamedAdapter } from "../../lib/decoder/adapter_stack.ts";
import { CheckpointError } from "../../lib/errors.ts";
import { hubCommit, modelName } from "../../lib/loading/hub_cache.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { FunctionName } from "../schema/common.ts";
import { sourceKey } from "./pending_download.ts";
import type { ClipListing } from "./ports.ts";

/** The folder of a model. */
export interface ModelFolder {
  /** Path as given. */
  readonly folder: string;
  /** Canonical path: equal for every way to write the folder. */
  readonly key: string;
  /** Name that requests use for the model. */
  readonly name: string;
  /** Commit of its repository; undefined if unknown. */
  readonly revision: string | undefined;
}

/** A language model, its vision tokenizer, and their purposes. */
export interface PlannedModels {
  /** Folder of the language model. */
  readonly language: ModelFolder;
  /** Folder of the vision tokenizer. */
  readonly vision: ModelFolder;
  /** True if it serves `generate`. */
  readonly draws: boolean;
  /** True if it serves `caption`. */
  readonly answers: boolean;
  /** Settings of its clips; undefined for a model that draws none. */
  readonly clips?: ClipListing | undefined;
  /** True if it is opened by the first request for a clip. */
  readonly onDemand?: boolean;
  /** Adapters that requests may choose; none by default. */
  readonly adapters?: readonly NamedAdapter[];
}

/** A direction that a vision tokenizer is loaded for. */
export type Direction = "encode" | "decode";

/** The models of a server. */
export interface ModelPlan {
  /** Planned models; the first serves requests that name none. */
  readonly models: readonly PlannedModels[];
  /** Directions to load of each vision tokenizer, by key. */
  readonly directions: ReadonlyMap<string, ReadonlySet<Direction>>;
  /** Checkpoints of the models, each opened once. */
  readonly checkpoints: Checkpoints;
}

/** Names of checkpoints, or the folders that they were downloaded to. */
export interface Sources {
  /** Source of the model that draws. */
  readonly gen: string;
  /** Source of the model that answers. */
  readonly chat: string;
  /** Source of the model for clips; undefined for the one that draws. */
  readonly clips?: string | undefined;
  /** Vision tokenizer for both; undefined for each model's own. */
  readonly vision: string | undefined;
}

/** A wanted language model and its purposes. */
export interface WantedLanguage {
  /** Source as given. */
  readonly source: string;
  /** True if it serves `generate`. */
  readonly draws: boolean;
  /** True if it serves `caption`. */
  readonly answers: boolean;
  /** True if it is opened by the first request for a clip. */
  readonly onDemand?: boolean;
}

/** A wanted language model that was downloaded. */
export interface HereLanguage extends Omit<WantedLanguage, "source"> {
  /** Folder of the model. */
  readonly folder: string;
}

/** Returns the language models that `functions` need, each once. */
export function wantedLanguages(
  { gen, chat, clips }: Sources,
  functions: ReadonlySet<FunctionName>,
): readonly WantedLanguage[] {
  const wanted = drawingAndAnswering({ gen, chat }, functions);
  const known = [gen, chat].map(sourceKey);
  if (
    clips === undefined || known.includes(sourceKey(clips)) ||
    !functions.has("generate")
  ) return wanted;
  return [
    ...wanted,
    { source: clips, draws: true, answers: false, onDemand: true },
  ];
}

function drawingAndAnswering(
  { gen, chat }: Pick<Sources, "gen" | "chat">,
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

/** Returns the directions that `functions` need of a vision tokenizer. */
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
 * Plans the models that `functions` need, among those downloaded.
 *
 * @param vision Folder of the tokenizer for all; undefined for each model's
 * own.
 * @param checkpoints Checkpoints that are opened already, or will be.
 * @throws {CheckpointError} If a folder is missing.
 */
export async function planLineup(
  languages: readonly HereLanguage[],
  vision: string | undefined,
  functions: ReadonlySet<FunctionName>,
  checkpoints: Checkpoints,
): Promise<ModelPlan> {
  const models = new Map<string, PlannedModels>();
  for (const { folder, draws, answers, onDemand } of languages) {
    const language = await place(folder);
    const same = models.get(language.key);
    models.set(language.key, {
      language: same?.language ?? language,
      vision: same?.vision ??
        await place(vision ?? await checkpoints.visionFolderOf(folder)),
      draws: draws || same?.draws === true,
      answers: answers || same?.answers === true,
      ...(same === undefined && onDemand && { onDemand }),
      clips: clipListing(await checkpoints.language(folder)),
    });
  }
  const planned = [...models.values()];
  return { ...plan(planned, functions), checkpoints };
}

function clipListing(
  { config, generation }: Awaited<ReturnType<Checkpoints["language"]>>,
): ClipListing | undefined {
  const { clips, examples, subjects, knownWords } = generation;
  const prompts = { examples, subjects, knownWords };
  return clips && { ...clips, imageArea: config.imageArea, prompts };
}

function plan(
  models: readonly PlannedModels[],
  functions: ReadonlySet<FunctionName>,
): Omit<ModelPlan, "checkpoints"> {
  const directions = new Map<string, Set<Direction>>();
  const add = ({ key }: ModelFolder, direction: Direction) => {
    const known = directions.get(key) ?? new Set();
    directions.set(key, known.add(direction));
  };
  const [first] = models;
  if (functions.has("tokenize")) add(first!.vision, "encode");
  if (functions.has("detokenize")) add(first!.vision, "decode");
  for (const { vision, draws, answers } of models) {
    if (draws) add(vision, "decode");
    if (answers) add(vision, "encode");
  }
  return { models, directions };
}

async function place(folder: string): Promise<ModelFolder> {
  try {
    const key = await Deno.realPath(folder);
    const revision = hubCommit(folder);
    return { folder, key, name: modelName(folder), revision };
  } catch (cause) {
    throw new CheckpointError(folder, "the folder does not exist", { cause });
  }
}
