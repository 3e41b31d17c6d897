/**
 * The golden data of the text tokenizer, and the files it was made from.
 *
 * `emu3.tiktoken` holds the ranks of the published checkpoints (Apache-2.0), as
 * in baaivision/Emu3.5; the list of special tokens is generated here.
 *
 * @module
 */
import { gunzipSync } from "node:zlib";
import { originalSpecials } from "../../lib/special_tokens.ts";
import type { JsonSource, RankSource } from "../../lib/text/text_source.ts";

const FOLDER = new URL("../golden/tokenizer/", import.meta.url);

/** A text and its tokens by the references. */
export interface TextRow {
  /** Text, possibly with lone surrogates. */
  readonly text: string;
  /** Tokens of the original, special tokens included. */
  readonly ids: readonly number[];
  /** Tokens of the original without special tokens, if they differ. */
  readonly "ids_plain"?: readonly number[];
  /** Tokens of transformers, if they differ; null if it rejects the text. */
  readonly "ids_hf"?: readonly number[] | null;
}

/** Tokens and their text. */
export interface DecodeRow {
  /** Arbitrary tokens. */
  readonly ids: readonly number[];
  /** Text with special tokens by name. */
  readonly text: string;
  /** Text without special tokens. */
  readonly "text_skip_special": string;
}

/** Reads the golden file `name`, decompressed. */
export function goldenBytes(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    gunzipSync(Deno.readFileSync(new URL(`${name}.gz`, FOLDER))),
  );
}

/** Reads the golden file `name` as text. */
export function goldenText(name: string): string {
  return new TextDecoder().decode(goldenBytes(name));
}

/**
 * Returns texts and tokens for the ranks of the published or the tiny
 * checkpoint.
 */
export function textRows(name: "strings" | "strings_tiny"): TextRow[] {
  const file: { rows: TextRow[] } = JSON.parse(goldenText(`${name}.json`));
  return file.rows;
}

/** Returns tokens and texts for the ranks of the published checkpoints. */
export function decodeRows(): DecodeRow[] {
  const file: { rows: DecodeRow[] } = JSON.parse(goldenText("decode.json"));
  return file.rows;
}

const CODEBOOK_SIZE = 32_768;

/** Returns `emu3_vision_tokens.txt` of the published checkpoints. */
export function visionTokens(): string {
  const codes = Array.from(
    { length: CODEBOOK_SIZE },
    (_, code) => `<|visual token ${String(code).padStart(6, "0")}|>`,
  );
  return [
    "<|image token|>",
    "<|image start|>",
    "<|image end|>",
    ...codes,
    "",
  ].join("\n");
}

/** Returns the text tokenizer of the published checkpoints, original layout. */
export function emu3(): RankSource {
  return {
    kind: "ranks",
    file: "emu3.tiktoken",
    bytes: goldenBytes("emu3.tiktoken"),
    specials: originalSpecials(visionTokens()),
  };
}

/** Returns the text tokenizer of the tiny checkpoint, original layout. */
export function tiny(): RankSource {
  return {
    kind: "ranks",
    file: "emu3-tiny/emu3.tiktoken",
    bytes: goldenBytes("emu3-tiny.tiktoken"),
    specials: originalSpecials(goldenText("emu3-tiny.emu3_vision_tokens.txt")),
  };
}

/** Returns the text tokenizer of the tiny checkpoint, transformers layout. */
export function tinyJson(): JsonSource {
  return {
    kind: "json",
    file: "emu3-tiny-hf/tokenizer.json",
    bytes: goldenBytes("emu3-tiny-hf.tokenizer.json"),
    specials: new Map(),
  };
}
