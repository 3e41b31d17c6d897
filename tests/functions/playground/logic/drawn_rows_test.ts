/** Laws of a picture's rows, and of resumption. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  clipOfRows,
  DrawnRows,
  resumedBody,
  wireGrid,
} from "../../../../functions/playground/logic/drawn_rows.js";

/** Creates rows of `width` codes, the first `count` drawn. */
function drawn(height: number, width: number, count: number): DrawnRows {
  const rows = new DrawnRows({ height, width });
  for (let index = 0; index < count; index++) {
    const codes = Array.from({ length: width }, (_, x) => index * width + x);
    rows.add({
      index,
      codes,
      logprobs: codes.map((code) => ({
        logprob: -code,
        entropy: code / 2,
        top: [{ code, logprob: -code }, { code: code + 1, logprob: -9 }],
      })),
    });
  }
  return rows;
}

Deno.test("DrawnRows stores codes and their logprobs", () => {
  const rows = drawn(3, 2, 2);
  deepStrictEqual(rows.grid, { height: 2, width: 2, codes: [[0, 1], [2, 3]] });
  const { scores } = rows;
  ok(scores);
  strictEqual(scores.rivals, 2);
  deepStrictEqual([...scores.logprobs], [-0, -1, -2, -3, NaN, NaN]);
  deepStrictEqual([...scores.entropies.subarray(0, 4)], [0, 0.5, 1, 1.5]);
  deepStrictEqual([...scores.codes.subarray(4, 8)], [2, 3, 3, 4]);
});

Deno.test("DrawnRows begins after the given rows", () => {
  const prefix = wireGrid(drawn(4, 2, 4), 3);
  const rows = new DrawnRows({ height: 4, width: 2 }, prefix);
  strictEqual(rows.count, 3);
  deepStrictEqual(rows.grid, prefix);
});

Deno.test("resumedBody() sends the rows of one picture, and leaves one to draw", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.nat(6),
      fc.nat(),
      (height, came, seed) => {
        const rows = drawn(height, 2, Math.min(came, height));
        const body = { prompt: "a" };
        const next = resumedBody<
          { prompt: string; seed?: number; prefix?: { codes: number[][] } }
        >(body, { seed, rows });
        strictEqual(next.seed, seed);
        const kept = Math.min(rows.count, height - 1);
        strictEqual(next.prefix?.codes.length ?? 0, kept);
        if (kept > 0) deepStrictEqual(next.prefix, wireGrid(rows, kept));
      },
    ),
  );
});

Deno.test("resumedBody() prefers the server's resume state if it has more rows", () => {
  const rows = drawn(4, 2, 1);
  const prefix = wireGrid(drawn(4, 2, 4), 3);
  const state = { seed: 8, images: [{ prefix }] };
  const body = { prompt: "a", seed: 1 };
  deepStrictEqual(resumedBody(body, { seed: 1, rows, state }), {
    prompt: "a",
    seed: 8,
    prefix,
  });
  const less = { seed: 8, images: [{ prefix: wireGrid(rows, 1) }] };
  const further = drawn(4, 2, 3);
  deepStrictEqual(
    resumedBody(body, { seed: 1, rows: further, state: less }),
    { prompt: "a", seed: 8, prefix: wireGrid(further, 3) },
  );
});

Deno.test("resumedBody() redraws several pictures with the same seed", () => {
  const body = { prompt: "a", n: 2 };
  const rows = drawn(4, 2, 3);
  deepStrictEqual(resumedBody(body, { seed: 5, rows }), { ...body, seed: 5 });
  deepStrictEqual(resumedBody(body, {}), body);
});

Deno.test("DrawnRows counts the rows that are kept whole, and resumedBody() redraws the others", () => {
  const keep = { codes: [[0, 1], [7, null], [null, null]] };
  const rows = new DrawnRows({ height: 3, width: 2 }, keep);
  strictEqual(rows.count, 1);
  deepStrictEqual(rows.grid.codes, [[0, 1]]);
  const body = { prompt: "a", keep };
  deepStrictEqual(resumedBody(body, { rows, seed: 5 }), { ...body, seed: 5 });
});

/** Creates the rows of a clip of three frames, the first `count` drawn. */
function clipRows(count: number): DrawnRows {
  const rows = new DrawnRows({ height: 6, width: 2 }, undefined, 2);
  for (let i = 0; i < count; i++) {
    rows.add({ frame: Math.floor(i / 2), index: i % 2, codes: [i, i] });
  }
  return rows;
}

Deno.test("DrawnRows counts the whole frames of a clip", () => {
  deepStrictEqual([0, 1, 2, 5, 6].map((n) => clipRows(n).frames), [
    0,
    0,
    1,
    2,
    3,
  ]);
  deepStrictEqual(clipOfRows(clipRows(5), 1), {
    frames: 2,
    height: 2,
    width: 2,
    codes: Uint16Array.of(0, 0, 1, 1, 2, 2, 3, 3),
    framesPerCode: 1,
  });
});

Deno.test("resumedBody() sends the whole frames of a clip, and leaves one to draw", () => {
  const body = { prompt: "a", frames: 12 };
  type Resumed = Parameters<typeof resumedBody>[0];
  for (const [count, frames] of [[1, 0], [3, 1], [5, 2], [6, 2]]) {
    const { clip, seed } = resumedBody<Resumed>(body, {
      seed: 4,
      rows: clipRows(count!),
    });
    strictEqual(seed, 4);
    strictEqual(clip?.codes.length ?? 0, frames);
    // Four frames of pixels share a frame of codes.
    strictEqual(clip?.frames_per_code, undefined);
  }
  const stills = resumedBody<Resumed>({ ...body, frames: 3 }, {
    rows: clipRows(5),
  });
  strictEqual(stills.clip?.frames_per_code, 1);
});

Deno.test("resumedBody() keeps the given frames of a clip until more are drawn", () => {
  const clip = { codes: [[[9, 9], [9, 9]]] };
  const body = { prompt: "a", frames: 3, clip };
  for (const count of [2, 3]) {
    strictEqual(resumedBody(body, { rows: clipRows(count) }).clip, clip);
  }
  strictEqual(resumedBody(body, { rows: clipRows(4) }).clip.codes.length, 2);
});
