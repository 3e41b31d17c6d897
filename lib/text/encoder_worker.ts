/**
 * The worker that builds the encoder and encodes texts.
 *
 * Calls run in the order of arrival.
 *
 * An entry point: `encoder.ts` starts it and imports its types only.
 *
 * @module
 */

import { serveMethods } from "../async/worker_methods.ts";
import type { SpecialTokens } from "../special_tokens.ts";
import { buildEncoder } from "./bpe.ts";
import type { EncodePlain, EncoderDefinition } from "./bpe.ts";
import { readTextModel } from "./text_source.ts";
import type { TextSource } from "./text_source.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** Contents of the tokenizer's files that other threads need. */
export interface OpenedText {
  /** Spellings of the text tokens. */
  readonly table: TokenBytes;
  /** The special tokens in the file. */
  readonly specials: SpecialTokens;
}

const unopened = (): EncoderDefinition => {
  throw new Error("Cannot build encoder: the tokenizer is not open");
};

const unbuilt: EncodePlain = () => {
  throw new Error("Cannot encode text: the encoder is not built");
};

let definition = unopened;
let encode = unbuilt;

/** Methods of the worker. */
export const methods = {
  open: ({ kind, bytes }: Pick<TextSource, "kind" | "bytes">): OpenedText => {
    const model = readTextModel(kind, bytes);
    definition = model.definition;
    return { table: model.table, specials: model.specials };
  },
  build: (): void => {
    encode = buildEncoder(definition());
    // Releases the files, which are no longer needed.
    definition = unopened;
  },
  encode: (texts: readonly string[]): Int32Array<ArrayBuffer>[] =>
    texts.map(encode),
};

/** Type of the methods, for the client. */
export type EncoderMethods = typeof methods;

serveMethods(methods);
