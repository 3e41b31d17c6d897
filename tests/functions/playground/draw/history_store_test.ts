/** What the history has no room for. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  MAX_BYTES,
  MAX_PICTURES,
  superfluous,
} from "../../../../functions/playground/draw/history_store.js";

/** Pictures of so many bytes. */
function pictures(...sizes: number[]) {
  return sizes.map((size, i) => ({
    id: String(i),
    createdAt: -i,
    title: "a",
    // Of the file only its size is looked at.
    file: { size } as Blob,
    imageIndex: 0,
  }));
}

Deno.test("superfluous() lets go of the oldest, by number and by bytes", () => {
  deepStrictEqual(superfluous(pictures()), []);
  const many = superfluous(pictures(...Array(MAX_PICTURES + 2).fill(1)));
  deepStrictEqual(
    many.map(({ id }) => id),
    [String(MAX_PICTURES), String(MAX_PICTURES + 1)],
  );
  const large = superfluous(pictures(1, MAX_BYTES - 1, 1, 1));
  deepStrictEqual(large.map(({ id }) => id), ["2", "3"]);
});

Deno.test("superfluous() keeps the latest, however large", () => {
  strictEqual(superfluous(pictures(2 * MAX_BYTES)).length, 0);
});
