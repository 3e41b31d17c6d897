import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  type DrawingOptions,
  DrawingPolicy,
  type DrawnRow,
} from "../../lib/drawing.ts";
import {
  type CodeGrid,
  type GridSize,
  gridTokens,
  rowTokens,
} from "../../lib/grid.ts";
import { guide } from "../../lib/sampling/guidance.ts";
import { judge } from "../../lib/sampling/log_probabilities.ts";
import { uniformAt } from "../../lib/sampling/random.ts";
import { sample } from "../../lib/sampling/sampler.ts";
import { TINY_VOCABULARY } from "../support/golden.ts";

const CODES = 16;
const key = { seed: 42, stream: 3 };
const sampling = { temperature: 1, topK: 0, topP: 1 };

const side = fc.integer({ min: 1, max: 6 });
const anySize: fc.Arbitrary<GridSize> = fc.record({
  height: side,
  width: side,
});

/** Logits that are a stated function of how many choices were made before. */
function logitsAt(position: number, row = 0): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: CODES },
    (_, code) => 3 * Math.sin(position * 7.1 + code * 1.3 + row * 2.9),
  );
}

function optionsFor(size: GridSize, more: Partial<DrawingOptions> = {}) {
  const prefix = undefined;
  const whole = { size, prefix, guidanceScale: 1, sampling, key, logprobs: 0 };
  return { ...whole, ...more };
}

/** A drawing from its first choice to its end. */
function drawn(options: DrawingOptions) {
  const rows: DrawnRow[] = [];
  const policy = new DrawingPolicy(
    TINY_VOCABULARY,
    options,
    (row) => rows.push(row),
  );
  const fed: number[][] = [];
  const start = options.prefix?.codes.length ?? 0;
  const { height, width } = options.size;
  for (let position = start; position < height * width; position++) {
    const branches = options.guidanceScale === 1 ? [0] : [0, 1];
    const logits = branches.map((row) => logitsAt(position, row));
    fed.push([...policy.choose(logits)]);
  }
  return { grid: policy.grid, rows, fed };
}

Deno.test("DrawingPolicy feeds the grid's tokens up to its last code, EOL along with the last code of each row", () => {
  fc.assert(fc.property(anySize, (size) => {
    const { grid, fed } = drawn(optionsFor(size));
    const tokens = [...gridTokens(grid, TINY_VOCABULARY)];
    // The last code, its EOL, EOF and EOI are never fed.
    deepStrictEqual(fed.flat(), tokens.slice(0, -4));
    for (const [position, feeds] of fed.entries()) {
      const last = position === size.height * size.width - 1;
      const endsRow = (position + 1) % size.width === 0;
      strictEqual(feeds.length, last ? 0 : endsRow ? 2 : 1);
    }
  }));
});

Deno.test("DrawingPolicy tells of every row once, from the top, with the grid's codes", () => {
  fc.assert(fc.property(anySize, (size) => {
    const { grid, rows } = drawn(optionsFor(size));
    deepStrictEqual(rows.map(({ index }) => index), [
      ...Array(size.height).keys(),
    ]);
    deepStrictEqual(rows.flatMap(({ codes }) => [...codes]), [...grid.codes]);
  }));
});

Deno.test("DrawingPolicy uses the random number of its stream at each position", () => {
  const size = { height: 2, width: 3 };
  const { grid } = drawn(optionsFor(size));
  const expected = Array.from(
    { length: 6 },
    (_, at) => sample(logitsAt(at), sampling, () => uniformAt(key, at)),
  );
  deepStrictEqual([...grid.codes], expected);
});

Deno.test("DrawingPolicy continues given rows as it would have drawn itself", () => {
  fc.assert(fc.property(anySize, fc.nat(), (size, any) => {
    const whole = drawn(optionsFor(size));
    const height = any % size.height;
    const codes = whole.grid.codes.slice(0, height * size.width);
    const prefix: CodeGrid = { height, width: size.width, codes };
    const rest = drawn(optionsFor(size, { prefix }));
    deepStrictEqual(rest.grid, whole.grid);
    deepStrictEqual(rest.rows, whole.rows.slice(height));
    const given = rowTokens(prefix, height, TINY_VOCABULARY);
    deepStrictEqual([...given, ...rest.fed.flat()], whole.fed.flat());
  }));
});

Deno.test("DrawingPolicy guides by the unconditional row", () => {
  const size = { height: 1, width: 4 };
  const greedy = { ...sampling, temperature: 0 };
  const { grid } = drawn(
    optionsFor(size, { guidanceScale: 3, sampling: greedy }),
  );
  const expected = Array.from({ length: 4 }, (_, at) => {
    const logits = logitsAt(at, 0);
    guide(logits, logitsAt(at, 1), 3);
    return logits.indexOf(Math.max(...logits));
  });
  deepStrictEqual([...grid.codes], expected);
});

Deno.test("DrawingPolicy judges each code of a row when asked to", () => {
  const size = { height: 2, width: 2 };
  const { rows, grid } = drawn(optionsFor(size, { logprobs: 3 }));
  const expected = Array.from(
    grid.codes,
    (code, at) => judge(logitsAt(at), code, 3),
  );
  deepStrictEqual(rows.map(({ judgements }) => judgements), [
    expected.slice(0, 2),
    expected.slice(2),
  ]);
  const silent = drawn(optionsFor(size));
  deepStrictEqual(silent.rows.map(({ judgements }) => judgements), [[], []]);
});

Deno.test("DrawingPolicy leaves the given rows as they were", () => {
  const prefix = { height: 1, width: 2, codes: Uint16Array.of(9, 9) };
  const { grid } = drawn(optionsFor({ height: 2, width: 2 }, { prefix }));
  deepStrictEqual([...grid.codes.slice(0, 2)], [9, 9]);
  deepStrictEqual([...prefix.codes], [9, 9]);
});
