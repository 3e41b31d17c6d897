/**
 * The texts of a PNG.
 *
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import { readChunks } from "../../lib/image/format/png.ts";

/** Returns keyword and text of every iTXt. */
export function textsOf(bytes: Uint8Array): [string, string][] {
  return readChunks(bytes).filter(({ type }) => type === "iTXt")
    .map(({ data }) => {
      const end = data.indexOf(0);
      deepStrictEqual([...data.subarray(end, end + 5)], [0, 0, 0, 0, 0]);
      const keyword = String.fromCharCode(...data.subarray(0, end));
      return [
        keyword,
        new TextDecoder("utf-8", { ignoreBOM: true }).decode(
          data.subarray(end + 5),
        ),
      ];
    });
}
