/**
 * The text model: a checkpoint's text files, read but not yet built.
 *
 * @module
 */
import type { SpecialTokens } from "../special_tokens.ts";
import type { EncoderDefinition } from "./bpe.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** A parsed text file of a checkpoint. */
export interface TextModel {
  /** Spellings of the text tokens. */
  readonly table: TokenBytes;
  /** The special tokens that the file lists; others may be listed elsewhere. */
  readonly specials: SpecialTokens;
  /**
   * Returns the definition of the encoder. Created on demand: it costs the
   * most, and decoding does not need it.
   */
  readonly definition: () => EncoderDefinition;
}
