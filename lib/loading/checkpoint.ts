/**
 * The reader of checkpoint folders: configuration and weights, in either
 * layout.
 *
 * Original layout: one folder for the language model (`config.json` flat), one
 * for the vision tokenizer. transformers layout: one folder for both
 * (`config.json` with `text_config` and `vq_config`).
 *
 * It does not build graphs or sessions.
 *
 * @module
 */

import { join } from "node:path";
import {
  type GenerationConfig,
  parseGenerationConfig,
} from "../../models/config/generation_config.ts";
import {
  type LanguageConfig,
  parseLanguageConfig,
} from "../../models/config/language_config.ts";
import type { PreprocessorConfig } from "../../models/config/preprocessor_config.ts";
import {
  parseVisionConfig,
  type VisionConfig,
} from "../../models/config/vision_config.ts";
import type { Dtype } from "../../models/graph/dtype.ts";
import type { CodeBits, Weights } from "../../models/graph/weights.ts";
import { CheckpointError } from "../errors.ts";
import {
  type CheckpointFolder,
  checkpointFolder,
} from "./checkpoint_folder.ts";
import { modelName, type Neighbor, neighbors } from "./hub_cache.ts";
import { parseJsonFile } from "./json_file.ts";
import {
  type KeySpelling,
  originalKeys,
  transformersLanguageKeys,
  transformersVisionKeys,
} from "./key_layouts.ts";
import { holdsBoth, type Layout, layoutOf } from "./layout.ts";
import { findPreprocessor } from "./preprocessor_files.ts";
import type { WeightFiles } from "./weight_files.ts";

/** The fields of both kinds of checkpoint. */
export interface Checkpoint {
  /** Name of the folder, or of the repository in a Hugging Face cache. */
  readonly name: string;
  /** Path of the folder. */
  readonly folder: string;
  /** Layout of the files. */
  readonly layout: Layout;
  /** Tensors of the folder. */
  readonly weights: Weights;
  /** Folder that the tensors' locations are relative to. */
  readonly weightFolder: string;
  /** Type of the stored weights. */
  readonly storedDtype: Dtype;
  /** Bytes of all tensors in the folder. */
  readonly byteLength: number;
}

/** A language model on disk. */
export interface LanguageCheckpoint extends Checkpoint {
  /** Configuration with the model's sizes. */
  readonly config: LanguageConfig;
  /** Recommended settings. */
  readonly generation: GenerationConfig;
  /** Bits of its linear layers' codes; undefined for floats. */
  readonly codeBits: CodeBits | undefined;
  /**
   * Ids of special tokens by name, in the transformers layout; empty if only
   * the tokenizer's files list them.
   */
  readonly vocabularyMap: ReadonlyMap<string, number>;
}

/** A vision tokenizer on disk. */
export interface VisionCheckpoint extends Checkpoint {
  /** Configuration with the model's sizes. */
  readonly config: VisionConfig;
  /** Preprocessing of pictures. */
  readonly preprocessor: PreprocessorConfig;
  /**
   * Names of the files with these settings; empty if the published values
   * apply.
   */
  readonly preprocessorFiles: readonly string[];
}

/**
 * Opens the language model in `folder`.
 *
 * @throws {CheckpointError} If a file is missing, invalid or unsafe.
 */
export async function openLanguageCheckpoint(
  path: string | CheckpointFolder,
): Promise<LanguageCheckpoint> {
  const folder = checkpointFolder(path);
  const layout = await folder.config(layoutOf);
  const config = await folder.config(parseLanguageConfig);
  const generation = await parseJsonFile(
    join(folder.path, "generation_config.json"),
    parseGenerationConfig,
    {},
  );
  const spelling = layout === "original"
    ? originalKeys
    : transformersLanguageKeys;
  const { files, ...common } = await openWeights(
    folder,
    layout,
    spelling,
    LANGUAGE_KEY,
  );
  const { intermediateSize, hiddenSize } = config;
  const layer = common.weights.findQuantized(
    LINEAR_KEY,
    [intermediateSize, hiddenSize],
  );
  // Some files with a separate head declare it tied; the stored tensor is used.
  const tiedEmbeddings = config.tiedEmbeddings &&
    !HEAD_KEYS.some((key) => files.has(key, spelling));
  return {
    ...common,
    config: { ...config, tiedEmbeddings },
    generation: { ...generation, endTokens: endTokens(generation, config) },
    codeBits: layer?.bits,
    vocabularyMap: await folder.config(vocabularyMap),
  };
}

/**
 * Opens the vision tokenizer in `folder`.
 *
 * @throws {CheckpointError} If a file is missing, invalid or unsafe.
 */
export async function openVisionCheckpoint(
  path: string | CheckpointFolder,
): Promise<VisionCheckpoint> {
  const folder = checkpointFolder(path);
  const layout = await folder.config(layoutOf);
  const config = await folder.config(parseVisionConfig);
  const { preprocessor, files: preprocessorFiles } = await findPreprocessor(
    folder.path,
    config,
  );
  const spelling = layout === "original"
    ? originalKeys
    : transformersVisionKeys;
  const { files: _, ...common } = await openWeights(
    folder,
    layout,
    spelling,
    VISION_KEY,
  );
  return { ...common, config, preprocessor, preprocessorFiles };
}

/**
 * Returns the vision tokenizer's folder of a language model: the same folder in
 * the transformers layout, else its neighbor named `…VisionTokenizer`.
 *
 * @param remedy How to name another one.
 * @throws {CheckpointError} If there is none, or more than one.
 */
export async function findVisionFolder(
  from: string | CheckpointFolder,
  remedy: string = "set VISION_MODEL",
): Promise<string> {
  const checkpoint = checkpointFolder(from);
  const { path: folder } = checkpoint;
  if (await checkpoint.config(holdsBoth)) return folder;
  const found = (await neighbors(folder))
    .filter(({ name }) => /visiontokenizer$/i.test(name));
  const [first, ...others] = preferSameName(found, modelName(folder));
  if (first === undefined || others.length > 0) {
    throw new CheckpointError(
      folder,
      first === undefined
        ? `no …VisionTokenizer folder is beside it; ${remedy}`
        : `several …VisionTokenizer folders are beside it (${
          found.map(({ name }) => name).sort().join(", ")
        }); ${remedy}`,
    );
  }
  return first.path;
}

/** The tensors by which the kind and the type of a folder are recognized. */
const LANGUAGE_KEY = "model.embed_tokens.weight";
const LINEAR_KEY = "model.layers.0.mlp.gate_proj.weight";
const VISION_KEY = "quantize.embedding.weight";

/** Names of a separate head, as floats or as codes. */
const HEAD_KEYS = ["lm_head.weight", "lm_head.weight_packed"];

/**
 * Returns the tokens that end an answer, from both files that may list them.
 */
function endTokens(
  { endTokens }: GenerationConfig,
  { tokenIds: { eos_token_id: stated = [] } }: LanguageConfig,
): number[] {
  return [...new Set([endTokens, stated].flat(2))];
}

/**
 * Returns the ids of special tokens that a transformers configuration lists.
 */
function vocabularyMap(json: unknown): ReadonlyMap<string, number> {
  const { vocabulary_map: map } = Object(json);
  const entries = Object.entries(Object(map));
  return new Map(
    entries.filter((entry): entry is [string, number] =>
      typeof entry[1] === "number"
    ),
  );
}

async function openWeights(
  folder: CheckpointFolder,
  layout: Layout,
  spelling: KeySpelling,
  key: string,
): Promise<Checkpoint & { readonly files: WeightFiles }> {
  const files = await folder.weights();
  return {
    files,
    name: modelName(folder.path),
    folder: folder.path,
    layout,
    weights: files.weights(spelling),
    weightFolder: files.root,
    storedDtype: files.dtypeOf(key, spelling),
    byteLength: files.byteLength,
  };
}

/**
 * Returns only the folder whose name starts with the language model's, if there
 * is one; else all.
 */
function preferSameName(found: readonly Neighbor[], name: string): Neighbor[] {
  const same = found.filter((neighbor) =>
    neighbor.name.toLowerCase().startsWith(name.toLowerCase())
  );
  return same.length === 1 ? same : [...found];
}
