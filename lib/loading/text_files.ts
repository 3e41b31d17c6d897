/**
 * The text files of a checkpoint folder: the tokenizer and the vocabulary.
 *
 * ```text
 * original       emu3.tiktoken, emu3_vision_tokens.txt  ┐ tokenizer_config.json
 * transformers   tokenizer.json, vocabulary_map         ┴ special_tokens_map.json
 * ```
 *
 * @module
 */

import { join } from "node:path";
import { CheckpointError } from "../errors.ts";
import { originalSpecials, specialNames } from "../special_tokens.ts";
import type { TextSource } from "../text/text_source.ts";
import {
  openTextTokenizer,
  type TextTokenizer,
} from "../text/text_tokenizer.ts";
import {
  checkTokenIds,
  type Vocabulary,
  vocabularyFromSpecials,
} from "../vocabulary.ts";
import type { LanguageCheckpoint } from "./checkpoint.ts";
import { jsonObject, parseJsonFile, readBytes, readText } from "./json_file.ts";

/** The tokenizer and the vocabulary. */
export interface TextSide {
  /** The tokenizer. */
  readonly text: TextTokenizer;
  /** The vocabulary of special tokens and codes. */
  readonly vocabulary: Vocabulary;
}

/** Files that name special tokens, in order of precedence. */
const NAMING_FILES = ["tokenizer_config.json", "special_tokens_map.json"];

/**
 * Opens the tokenizer of a checkpoint.
 *
 * @throws {CheckpointError} If a file is missing or invalid, or contradicts the
 * ids in `config.json`.
 */
export async function openTextSide(
  checkpoint: LanguageCheckpoint,
): Promise<TextSide> {
  const { folder, config } = checkpoint;
  const source = await textSource(checkpoint);
  const names = specialNames(
    await Promise.all(NAMING_FILES.map(async (name) => {
      const file = join(folder, name);
      const json = await parseJsonFile(file, (json) => jsonObject(json), {});
      return { json, file };
    })),
  );
  using opened = new DisposableStack();
  const text = opened.use(await openTextTokenizer(source));
  const vocabulary = vocabularyFromSpecials(text.specials, {
    names,
    textSize: text.textSize,
    size: config.vocabularySize,
    file: source.file,
  });
  checkTokenIds(vocabulary, config.tokenIds, join(folder, "config.json"));
  opened.move();
  return { text, vocabulary };
}

async function textSource(
  { folder, layout, vocabularyMap }: LanguageCheckpoint,
): Promise<TextSource> {
  if (layout === "original") {
    const file = join(folder, "emu3.tiktoken");
    const visionFile = join(folder, "emu3_vision_tokens.txt");
    const visionTokens = await readText(visionFile);
    if (visionTokens === undefined) {
      throw new CheckpointError(visionFile, "the file does not exist");
    }
    const specials = originalSpecials(visionTokens);
    return { kind: "ranks", file, bytes: await bytesOf(file), specials };
  }
  const file = join(folder, "tokenizer.json");
  return {
    kind: "json",
    file,
    bytes: await bytesOf(file),
    specials: vocabularyMap,
  };
}

async function bytesOf(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBytes(file);
  if (bytes !== undefined) return bytes;
  throw new CheckpointError(file, "the file does not exist");
}
