import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { Draft, Policy } from "../../../lib/engine/policy.ts";
import {
  type Chunk,
  type EngineRequest,
  type Prompt,
  Sequence,
} from "../../../lib/engine/sequence.ts";

const E = 3;
const policy: Policy = { head: "codes", choose: () => undefined };

function requestOf(...prompts: Prompt[]): EngineRequest {
  return { prompts, maxNewTokens: 10, policy, long: true };
}

function promptOf(...tokens: number[]): Prompt {
  return { tokens: Int32Array.from(tokens), prefixBoundaries: [tokens.length] };
}

/** Returns hidden states that identify their token and slot, `[S, E]`. */
function statesOf({ row, tokens }: Chunk): Float32Array<ArrayBuffer> {
  const states = Array.from(
    tokens,
    (token, i) => [row.slot, row.length + i, token],
  );
  return Float32Array.from(states.flat());
}

interface Run {
  readonly slot: number;
  readonly start: number;
  readonly tokens: Int32Array;
}

/** Runs all prompts. */
function prefilled(sequence: Sequence, chunkLength: number): Run[] {
  const runs: Run[] = [];
  for (;;) {
    const row = sequence.prefilling;
    if (row === undefined) return runs;
    const chunk = sequence.nextChunk(row, chunkLength);
    const { tokens } = chunk;
    runs.push({ slot: row.slot, start: row.length, tokens });
    sequence.acceptChunk(chunk, statesOf(chunk));
  }
}

const anyPrompt = fc.int32Array({ minLength: 1, maxLength: 40 })
  .chain((tokens) =>
    fc.subarray([...tokens.keys()].slice(1)).map((
      prefixBoundaries,
    ): Prompt => ({
      tokens: Int32Array.from(tokens, (token) => token & 0xffff),
      prefixBoundaries: [...prefixBoundaries, tokens.length],
    }))
  );
const anyPrompts = fc.array(anyPrompt, { minLength: 1, maxLength: 2 });
const anyChunkLength = fc.integer({ min: 1, max: 16 });

Deno.test("Sequence splits its prompts by position and at prefix boundaries, and loses no token", () => {
  fc.assert(fc.property(anyPrompts, anyChunkLength, (prompts, chunkLength) => {
    const slots = [4, 2].slice(0, prompts.length);
    const sequence = new Sequence(requestOf(...prompts), slots);
    const runs = prefilled(sequence, chunkLength);
    for (const [i, { tokens, prefixBoundaries }] of prompts.entries()) {
      const own = runs.filter(({ slot }) => slot === slots[i]);
      deepStrictEqual(own.flatMap(({ tokens }) => [...tokens]), [...tokens]);
      const ends = own.map(({ start, tokens }) => start + tokens.length);
      const multiples = [...tokens.keys()].filter((at) =>
        at > 0 && at % chunkLength === 0
      );
      const expected = new Set([...multiples, ...prefixBoundaries]);
      deepStrictEqual(ends, [...expected].sort((a, b) => a - b));
    }
    strictEqual(sequence.forwards, runs.length);
  }));
});

Deno.test("Sequence with a restored prefix continues as after running it", () => {
  fc.assert(fc.property(
    anyPrompt,
    anyChunkLength,
    fc.nat(),
    (prompt, chunkLength, which) => {
      const whole = new Sequence(requestOf(prompt), [3]);
      const runs = prefilled(whole, chunkLength);
      const length = prompt
        .prefixBoundaries[which % prompt.prefixBoundaries.length]!;
      const found = new Sequence(requestOf(prompt), [3]);
      const [row] = found.rows;
      found.acceptPrefix(row!, length, whole.rows[0]!.boundaryStates);
      const rest = prefilled(found, chunkLength);
      deepStrictEqual(rest, runs.filter(({ start }) => start >= length));
      deepStrictEqual(found.promptStates(), whole.promptStates());
      deepStrictEqual(row!.boundaryStates, whole.rows[0]!.boundaryStates);
    },
  ));
});

Deno.test("Sequence keeps the hidden state after the last token of each prompt", () => {
  fc.assert(fc.property(anyPrompts, anyChunkLength, (prompts, chunkLength) => {
    const slots = [1, 0].slice(0, prompts.length);
    const sequence = new Sequence(requestOf(...prompts), slots);
    prefilled(sequence, chunkLength);
    const expected = prompts.map(({ tokens }, i) =>
      Float32Array.of(slots[i]!, tokens.length - 1, tokens.at(-1)!)
    );
    deepStrictEqual(sequence.promptStates(), expected);
    strictEqual(expected[0]!.length, E);
  }));
});

Deno.test("Sequence keeps a hidden state when its buffer is reused", () => {
  const sequence = new Sequence(requestOf(promptOf(8)), [0]);
  const chunk = sequence.nextChunk(sequence.prefilling!, 4);
  const states = statesOf(chunk);
  sequence.acceptChunk(chunk, states);
  states.fill(-1);
  deepStrictEqual(sequence.promptStates(), [Float32Array.of(0, 0, 8)]);
});

Deno.test("Sequence with guidance appends the same tokens to both rows, each at its own position", () => {
  const sequence = new Sequence(requestOf(promptOf(1, 2, 3), promptOf(4)), [
    5,
    6,
  ]);
  prefilled(sequence, 8);
  strictEqual(sequence.decoding, false);
  sequence.push({ kept: 0, tokens: [70, 71], scored: [1] });
  strictEqual(sequence.decoding, true);
  deepStrictEqual(sequence.feeds(), [
    { slot: 5, tokens: [70, 71], position: 3 },
    { slot: 6, tokens: [70, 71], position: 1 },
  ]);
  sequence.appendDraft();
  sequence.push({ kept: 2, tokens: [72], scored: [0] });
  deepStrictEqual(sequence.feeds(), [
    { slot: 5, tokens: [72], position: 5 },
    { slot: 6, tokens: [72], position: 3 },
  ]);
  // Two prompts and one draft, in one run each.
  strictEqual(sequence.forwards, 3);
  strictEqual(sequence.appended, 2);
});

Deno.test("Sequence discards tokens that a policy does not keep, but counts all that were written", () => {
  const sequence = new Sequence(requestOf(promptOf(1, 2)), [0]);
  prefilled(sequence, 8);
  sequence.push({ kept: 0, tokens: [7, 8, 9], scored: [0, 1, 2] });
  sequence.appendDraft();
  sequence.push({ kept: 1, tokens: [5], scored: [0] });
  deepStrictEqual(sequence.feeds(), [{ slot: 0, tokens: [5], position: 3 }]);
  strictEqual(sequence.rows[0]!.written, 5);
});

Deno.test("Sequence returns the position of every token, the prompt's and those that were kept", () => {
  const sequence = new Sequence(requestOf(promptOf(1, 2), promptOf(3)), [0, 1]);
  prefilled(sequence, 8);
  sequence.push({
    kept: 0,
    tokens: [7, 8],
    scored: [0, 1],
    positionIds: [0, 4],
  });
  sequence.appendDraft();
  sequence.push({ kept: 1, tokens: [9], scored: [0], positionIds: [1] });
  deepStrictEqual(
    sequence.multiTokenRows().map(({ positionIds }) => [...positionIds!]),
    [
      [0, 1, 2, 3],
      [0, 1, 2],
    ],
  );
});

Deno.test("Sequence joins a step that can take its draft", () => {
  const joins = (draft: Omit<Draft, "kept">) => {
    const sequence = new Sequence(requestOf(promptOf(1)), [0]);
    sequence.push({ kept: 0, ...draft });
    return sequence.joinsStep;
  };
  strictEqual(joins({ tokens: [1], scored: [0] }), true);
  strictEqual(joins({ tokens: [1, 2], scored: [1] }), true);
  strictEqual(joins({ tokens: [1, 2], scored: [0, 1] }), false);
  strictEqual(joins({ tokens: [1, 2, 3], scored: [2] }), false);
  strictEqual(joins({ tokens: [1], scored: [0], positionIds: [0] }), false);
});
