import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  type Chunk,
  type EngineRequest,
  Sequence,
} from "../../../lib/engine/sequence.ts";

const E = 3;
const policy = { head: "codes", choose: () => [] } as const;

function requestOf(...prompts: Int32Array[]): EngineRequest {
  return { prompts, maxNewTokens: 10, policy };
}

/** Hidden states that say which token of which slot they belong to, `[S, E]`. */
function statesOf({ slot, tokens, start }: Chunk): Float32Array<ArrayBuffer> {
  const states = Array.from(
    tokens,
    (token, i) => [slot, start + i, token],
  );
  return Float32Array.from(states.flat());
}

/** Runs all prompts. */
function prefilled(sequence: Sequence, chunkLength: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (;;) {
    const chunk = sequence.nextChunk(chunkLength);
    if (chunk === undefined) return chunks;
    chunks.push(chunk);
    sequence.acceptChunk(chunk, statesOf(chunk));
  }
}

const anyPrompt = fc.int32Array({ minLength: 1, maxLength: 40 })
  .map((tokens) => Int32Array.from(tokens, (token) => token & 0xffff));
const anyPrompts = fc.array(anyPrompt, { minLength: 1, maxLength: 2 });
const anyChunkLength = fc.integer({ min: 1, max: 16 });

Deno.test("a Sequence cuts its prompts by position, one after the other, and loses no token", () => {
  fc.assert(fc.property(anyPrompts, anyChunkLength, (prompts, chunkLength) => {
    const slots = [4, 2].slice(0, prompts.length);
    const sequence = new Sequence(requestOf(...prompts), slots);
    deepStrictEqual(sequence.slots, slots);
    const chunks = prefilled(sequence, chunkLength);
    for (const [i, prompt] of prompts.entries()) {
      const own = chunks.filter(({ slot }) => slot === slots[i]);
      deepStrictEqual(own.flatMap(({ tokens }) => [...tokens]), [...prompt]);
      for (const { start, tokens } of own) {
        strictEqual(start % chunkLength, 0);
        strictEqual(
          tokens.length,
          Math.min(chunkLength, prompt.length - start),
        );
      }
    }
    strictEqual(sequence.forwards, chunks.length);
  }));
});

Deno.test("a Sequence keeps the hidden state after the last token of each prompt", () => {
  fc.assert(fc.property(anyPrompts, anyChunkLength, (prompts, chunkLength) => {
    const slots = [1, 0].slice(0, prompts.length);
    const sequence = new Sequence(requestOf(...prompts), slots);
    strictEqual(sequence.promptHidden(), undefined);
    prefilled(sequence, chunkLength);
    const expected = prompts.map((prompt, i) =>
      Float32Array.of(slots[i]!, prompt.length - 1, prompt.at(-1)!)
    );
    deepStrictEqual(sequence.promptHidden(), expected);
    strictEqual(expected[0]!.length, E);
  }));
});

Deno.test("a Sequence keeps a hidden state when the buffer it came in is used again", () => {
  const sequence = new Sequence(requestOf(Int32Array.of(8)), [0]);
  const chunk = sequence.nextChunk(4)!;
  const states = statesOf(chunk);
  sequence.acceptChunk(chunk, states);
  states.fill(-1);
  deepStrictEqual(sequence.promptHidden(), [Float32Array.of(0, 0, 8)]);
});

Deno.test("a guided Sequence feeds both rows the same token, each at its own position", () => {
  const prompts = [Int32Array.of(1, 2, 3), Int32Array.of(4)];
  const sequence = new Sequence(requestOf(...prompts), [5, 6]);
  prefilled(sequence, 8);
  strictEqual(sequence.decoding, false);
  sequence.push([70, 71]);
  strictEqual(sequence.decoding, true);
  deepStrictEqual(sequence.nextFeeds(), [
    { slot: 5, token: 70, position: 3 },
    { slot: 6, token: 70, position: 1 },
  ]);
  sequence.acceptFeed();
  deepStrictEqual(sequence.nextFeeds(), [
    { slot: 5, token: 71, position: 4 },
    { slot: 6, token: 71, position: 2 },
  ]);
  sequence.acceptFeed();
  strictEqual(sequence.decoding, false);
  // Two prompts, two tokens: one run each.
  strictEqual(sequence.forwards, 4);
});
