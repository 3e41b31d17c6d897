/**
 * The golden files that lack a reader of their own.
 *
 * @module
 */

import { gunzipSync } from "node:zlib";
import type { Vocabulary } from "../../lib/vocabulary.ts";

const FOLDER = new URL("../golden/", import.meta.url);

/** Returns the absolute path of `path` under `tests/golden`. */
export function goldenPath(path: string): string {
  return new URL(path, FOLDER).pathname;
}

/**
 * Reads the JSON of `path` under `tests/golden`, decompressed if it ends in
 * `.gz`.
 */
export function goldenJson<T>(path: string): T {
  const bytes = Deno.readFileSync(goldenPath(path));
  const plain = path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  return JSON.parse(new TextDecoder().decode(plain));
}

/** Token ids of the tiny checkpoints. */
export const TINY_VOCABULARY: Vocabulary = {
  size: 1747,
  textSize: 1024,
  firstCode: 1235,
  codebookSize: 512,
  pad: 1024,
  bos: 1230,
  eos: 1231,
  img: 1232,
  boi: 1233,
  eoi: 1234,
  eol: 1227,
  eof: 1228,
};

/** Token ids of the published checkpoints. */
export const EMU3_VOCABULARY: Vocabulary = {
  size: 184_622,
  textSize: 151_643,
  firstCode: 151_854,
  codebookSize: 32_768,
  pad: 151_643,
  bos: 151_849,
  eos: 151_850,
  img: 151_851,
  boi: 151_852,
  eoi: 151_853,
  eol: 151_846,
  eof: 151_847,
};
