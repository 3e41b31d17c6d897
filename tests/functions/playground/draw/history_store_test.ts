/** Laws of the history's eviction. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  MAX_BYTES,
  MAX_PICTURES,
  superfluous,
} from "../../../../functions/playground/draw/history_store.js";

/** Creates pictures of the given sizes in bytes. */
function pictures(...sizes: number[]) {
  return sizes.map((size, i) => ({
    id: String(i),
    createdAt: -i,
    title: "a",
    // Only the size of the file is read.
    file: { size } as Blob,
    imageIndex: 0,
  }));
}

Deno.test("superfluous() evicts the oldest, by count and by bytes", () => {
  deepStrictEqual(superfluous(pictures()), []);
  const many = superfluous(pictures(...Array(MAX_PICTURES + 2).fill(1)));
  deepStrictEqual(
    many.map(({ id }) => id),
    [String(MAX_PICTURES), String(MAX_PICTURES + 1)],
  );
  const large = superfluous(pictures(1, MAX_BYTES - 1, 1, 1));
  deepStrictEqual(large.map(({ id }) => id), ["2", "3"]);
});

Deno.test("superfluous() keeps the latest picture of any size", () => {
  strictEqual(superfluous(pictures(2 * MAX_BYTES)).length, 0);
});
