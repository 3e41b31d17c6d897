/**
 * The structure check of an Emu3 checkpoint: its files open, and match each
 * other.
 *
 * @module
 */

import { join, relative } from "node:path";
import { CheckpointError } from "../../lib/errors.ts";
import {
  type LanguageCheckpoint,
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { readJson, readText } from "../../lib/loading/json_file.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";

/** A file with a fault. */
export interface Fault {
  /** Path within the model. */
  readonly path: string;
  /** Description of the fault, for messages. */
  readonly reason: string;
}

/** Returns the fault that a checkpoint error within `folder` describes. */
export function faultFrom(folder: string, error: CheckpointError): Fault {
  const { file, message } = error;
  const path = relative(folder, file) || ".";
  return { path, reason: message.replace(`Cannot open ${file}: `, "") };
}

/** The models in a folder. */
export interface Emu3Parts {
  /** True for a language model and its tokenizer. */
  readonly language: boolean;
  /** True for a vision tokenizer. */
  readonly vision: boolean;
}

/**
 * Returns the models that `config.json` names; undefined if it is not an Emu3
 * configuration.
 */
export async function emu3Parts(
  folder: string,
): Promise<Emu3Parts | undefined> {
  const config: Record<string, unknown> = Object(
    await readJson(join(folder, "config.json")).catch(() => undefined),
  );
  const types = [config["model_type"], config["architectures"]].flat()
    .map(String).filter((type) => /^emu3/i.test(type));
  if (types.length === 0) return undefined;
  const alone = types.some((type) => /vision|vqgan|vqvae/i.test(type));
  const nested = "vq_config" in config;
  return { language: !alone, vision: alone || nested };
}

/** Returns the first fault of the Emu3 checkpoint in `folder`. */
export async function emu3Fault(
  folder: string,
  { language, vision }: Emu3Parts,
): Promise<Fault | undefined> {
  try {
    const codes = language
      ? await openText(await openLanguageCheckpoint(folder))
      : undefined;
    if (typeof codes === "object") return codes;
    if (!vision) return undefined;
    const { config } = await openVisionCheckpoint(folder);
    return codes === undefined || codes === config.codebookSize ? undefined : {
      path: "config.json",
      reason:
        `its codebook has ${config.codebookSize} codes, the tokenizer has tokens for ${codes}`,
    };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return faultFrom(folder, error);
  }
}

/** Tokens that a vocabulary may have to spare, since sizes are rounded up. */
const PADDING = 256;

/** Opens the tokenizer; returns its codes, or its fault. */
async function openText(
  checkpoint: LanguageCheckpoint,
): Promise<number | Fault> {
  const { text, vocabulary } = await openTextSide(checkpoint);
  using _ = text;
  const { firstCode, codebookSize } = vocabulary;
  if (checkpoint.layout !== "original") return codebookSize;
  // A list that is cut off between two lines looks complete.
  const path = "emu3_vision_tokens.txt";
  const names = await readText(join(checkpoint.folder, path)) ?? "";
  if (!/\|>\s*$/.test(names)) {
    return { path, reason: "its last line is truncated" };
  }
  const spare = checkpoint.config.vocabularySize - firstCode - codebookSize;
  return spare < PADDING ? codebookSize : {
    path,
    reason:
      `it lists ${codebookSize} codes, but the model has ${spare} more tokens: it is truncated`,
  };
}
