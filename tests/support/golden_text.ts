/**
 * Golden data of the text side, and the files it was made from.
 *
 * `emu3.tiktoken` holds the ranks of the published checkpoints (Apache-2.0),
 * as in baaivision/Emu3.5; the list of special tokens is made here.
 *
 * @module
 */
import { gunzipSync } from "node:zlib";
import { originalSpecials } from "../../lib/special_tokens.ts";
import type { JsonSource, RankSource } from "../../lib/text/text_source.ts";

const FOLDER = new URL("../golden/tokenizer/", import.meta.url);

/** A text and what the references make of it. */
export interface TextRow {
  /** May hold half surrogate pairs. */
  readonly text: string;
  /** Of the original, special tokens included. */
  readonly ids: readonly number[];
  /** Of the original, where special tokens as ordinary text make a difference. */
  readonly "ids_plain"?: readonly number[];
  /** Of transformers, where it differs; null where it refuses the text. */
  readonly "ids_hf"?: readonly number[] | null;
}

/** Tokens and their text. */
export interface DecodeRow {
  /** Any tokens, sensible or not. */
  readonly ids: readonly number[];
  /** With special tokens by name. */
  readonly text: string;
  /** Without special tokens. */
  readonly "text_skip_special": string;
}

/** The golden file `name`, unpacked. */
export function goldenBytes(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    gunzipSync(Deno.readFileSync(new URL(`${name}.gz`, FOLDER))),
  );
}

/** The golden file `name` as text. */
export function goldenText(name: string): string {
  return new TextDecoder().decode(goldenBytes(name));
}

/** Texts and tokens for the ranks of the published checkpoints, or for the tiny one's. */
export function textRows(name: "strings" | "strings_tiny"): TextRow[] {
  const file: { rows: TextRow[] } = JSON.parse(goldenText(`${name}.json`));
  return file.rows;
}

/** Tokens and texts for the ranks of the published checkpoints. */
export function decodeRows(): DecodeRow[] {
  const file: { rows: DecodeRow[] } = JSON.parse(goldenText("decode.json"));
  return file.rows;
}

const CODEBOOK_SIZE = 32_768;

/** `emu3_vision_tokens.txt` of the published checkpoints. */
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

/** The text side of the published checkpoints, original layout. */
export function emu3(): RankSource {
  return {
    kind: "ranks",
    file: "emu3.tiktoken",
    bytes: goldenBytes("emu3.tiktoken"),
    specials: originalSpecials(visionTokens()),
  };
}

/** The tiny checkpoint's, original layout. */
export function tiny(): RankSource {
  return {
    kind: "ranks",
    file: "emu3-tiny/emu3.tiktoken",
    bytes: goldenBytes("emu3-tiny.tiktoken"),
    specials: originalSpecials(goldenText("emu3-tiny.emu3_vision_tokens.txt")),
  };
}

/** The tiny checkpoint's, transformers layout. */
export function tinyJson(): JsonSource {
  return {
    kind: "json",
    file: "emu3-tiny-hf/tokenizer.json",
    bytes: goldenBytes("emu3-tiny-hf.tokenizer.json"),
    specials: new Map(),
  };
}
