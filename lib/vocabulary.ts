/**
 * The decoder's vocabulary: the ranges and roles of tokens.
 *
 * ```text
 * 0 … textSize - 1 │ special tokens │ firstCode … firstCode + codebookSize - 1
 * ```
 *
 * It is a value, derived from the checkpoint including the offset of the codes,
 * so that any vocabulary is supported. It does not depend on the encoding of
 * text.
 *
 * @module
 */
import { CheckpointError } from "./errors.ts";
import type { SpecialNames, SpecialTokens } from "./special_tokens.ts";

/** Token ids by role. */
export interface Vocabulary {
  /** Total number of tokens, which is the length of the decoder's logits. */
  readonly size: number;
  /** Number of text tokens; every token from here on is special. */
  readonly textSize: number;
  /** The token of code 0; that of code k is `firstCode + k`. */
  readonly firstCode: number;
  /** Number of codes. */
  readonly codebookSize: number;
  /** Token that pads the shorter prompts of a batch. */
  readonly pad: number;
  /** Token that starts every prompt. */
  readonly bos: number;
  /** Token that ends every answer. */
  readonly eos: number;
  /** Token that ends the size of a picture: codes follow. */
  readonly img: number;
  /** Token that starts a picture: its size follows. */
  readonly boi: number;
  /** Token that ends a picture. */
  readonly eoi: number;
  /** Token that ends a row of codes. */
  readonly eol: number;
  /** Token that ends the last row of a picture. */
  readonly eof: number;
}

/** Options of {@linkcode vocabularyFromSpecials}. */
export interface VocabularyOptions {
  /** Names of the tokens by role. */
  readonly names: SpecialNames;
  /** Number of text tokens. */
  readonly textSize: number;
  /** `vocab_size` of the checkpoint. */
  readonly size: number;
  /** File or folder that the tokens come from, for messages. */
  readonly file: string;
}

/**
 * Returns the vocabulary whose special tokens are `specials`.
 *
 * @throws {CheckpointError} If a role has no token, an id is outside of the
 * vocabulary, or the codes are not consecutive.
 */
export function vocabularyFromSpecials(
  specials: SpecialTokens,
  options: VocabularyOptions,
): Vocabulary {
  const { names, textSize, size, file } = options;
  for (const [name, token] of specials) {
    if (token < textSize || token >= size) {
      throw new CheckpointError(
        file,
        `"${name}" has id ${token}, outside the range of special tokens, ${textSize}…${
          size - 1
        }`,
      );
    }
  }
  const token = (name: string): number => {
    const id = specials.get(name);
    if (id !== undefined) return id;
    throw new CheckpointError(file, `token "${name}" is missing`);
  };
  return {
    size,
    textSize,
    ...codeRange(specials, file),
    pad: token(names.pad),
    bos: token(names.bos),
    eos: token(names.eos),
    img: token(names.img),
    boi: token(names.boi),
    eoi: token(names.eoi),
    eol: token(names.eol),
    eof: token(names.eof),
  };
}

/**
 * Compares `vocabulary` with the ids in a model's own configuration.
 *
 * @param config The parsed `config.json`, or its `text_config`.
 * @param file Path of the file, for messages.
 * @throws {CheckpointError} If a stated id differs.
 */
export function checkTokenIds(
  vocabulary: Vocabulary,
  config: Readonly<Record<string, unknown>>,
  file: string,
): void {
  const { pad, bos, eos, img, boi, eoi, eol, eof } = vocabulary;
  const parts = { pad, bos, eos, img, boi, eoi, eol, eof };
  for (const [part, token] of Object.entries(parts)) {
    const key = `${part}_token_id`;
    const stated = config[key];
    // transformers allows several tokens that end an answer.
    const agrees = Array.isArray(stated)
      ? stated.includes(token)
      : stated === token;
    if (stated === undefined || stated === null || agrees) continue;
    throw new CheckpointError(
      file,
      `"${key}" is ${
        JSON.stringify(stated)
      }, but the tokenizer's files have ${token}`,
    );
  }
}

/** Returns the token of `code`. */
export function tokenFromCode(vocabulary: Vocabulary, code: number): number {
  const { firstCode, codebookSize } = vocabulary;
  if (code >= 0 && code < codebookSize) return firstCode + code;
  throw new RangeError(
    `Cannot make token: code ${code} is not in 0…${codebookSize - 1}`,
  );
}

/** Returns the code of `token`. */
export function codeFromToken(vocabulary: Vocabulary, token: number): number {
  if (isCode(vocabulary, token)) return token - vocabulary.firstCode;
  throw new RangeError(
    `Cannot read code: token ${token} is not the token of a code`,
  );
}

/** Returns true if `token` is the token of a code. */
export function isCode(vocabulary: Vocabulary, token: number): boolean {
  const { firstCode, codebookSize } = vocabulary;
  return token >= firstCode && token < firstCode + codebookSize;
}

const CODE_NAME = /^<\|visual token (\d+)\|>$/;

/**
 * Returns the range of codes: the token of code k must be that of code 0 plus
 * k, in any order of listing.
 */
function codeRange(
  specials: SpecialTokens,
  file: string,
): Pick<Vocabulary, "firstCode" | "codebookSize"> {
  const firsts = new Set<number>();
  const codes = new Set<number>();
  for (const [name, token] of specials) {
    const code = Number(CODE_NAME.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(code)) continue;
    codes.add(code);
    firsts.add(token - code);
  }
  const [firstCode] = firsts;
  if (firstCode === undefined) {
    throw new CheckpointError(file, "it has no tokens for codes");
  }
  // The codes are 0 to n − 1, and all tokens have the same offset from their
  // codes.
  const gapless = [...codes].every((code) => code < codes.size);
  if (firsts.size > 1 || !gapless) {
    throw new CheckpointError(
      file,
      "the tokens of the codes are not consecutive",
    );
  }
  return { firstCode, codebookSize: codes.size };
}
