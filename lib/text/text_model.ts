/**
 * What a checkpoint's file says about text, read but not yet built.
 *
 * @module
 */
import type { SpecialTokens } from "../special_tokens.ts";
import type { EncoderDefinition } from "./bpe.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** A file that says how text becomes tokens. */
export interface TextModel {
  /** What the text tokens spell. */
  readonly table: TokenBytes;
  /** The special tokens that the file lists; others may be listed elsewhere. */
  readonly specials: SpecialTokens;
  /**
   * What text is to be encoded with. Made on demand: it costs the most, and
   * who only decodes does not need it.
   */
  readonly definition: () => EncoderDefinition;
}
