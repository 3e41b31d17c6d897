import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { AnsweringPolicy } from "../../../lib/answering/answering.ts";
import { uniformAt } from "../../../lib/sampling/random.ts";
import { sample } from "../../../lib/sampling/sampler.ts";

const SIZE = 8;
const EOS = 5;
const key = { seed: 7, stream: 0 };
const greedy = { temperature: 0, topK: 0, topP: 1 };

/** Returns logits under which `token` is by far the most probable. */
function saying(token: number): Float32Array<ArrayBuffer>[] {
  const logits = new Float32Array(SIZE);
  logits[token] = 100;
  return [logits];
}

/** Runs a policy on a model that would answer `tokens`, then EOS forever. */
function answered(tokens: readonly number[], maxTokens: number) {
  const emitted: number[] = [];
  const policy = new AnsweringPolicy(
    { eos: EOS, maxTokens, sampling: greedy, key },
    (token) => emitted.push(token),
  );
  const appended: number[] = [];
  for (let at = 0;; at++) {
    const draft = policy.choose([saying(tokens[at] ?? EOS)]);
    if (draft === undefined) break;
    // All tokens of earlier drafts are kept.
    strictEqual(draft.kept, Math.min(at, 1));
    appended.push(...draft.tokens);
  }
  return { policy, emitted, appended };
}

const word = fc.nat(SIZE - 1).filter((token) => token !== EOS);
const anyWords = fc.array(word, { maxLength: 10 });
const anyRoom = fc.integer({ min: 1, max: 12 });

Deno.test("AnsweringPolicy ends at EOS or at the token limit", () => {
  fc.assert(fc.property(anyWords, anyRoom, (words, maxTokens) => {
    const { policy, emitted, appended } = answered(words, maxTokens);
    deepStrictEqual(emitted, words.slice(0, maxTokens));
    strictEqual(policy.count, emitted.length);
    const room = words.length < maxTokens;
    strictEqual(policy.finishReason, room ? "stop" : "length");
    // The last token is not appended, since no choice follows.
    deepStrictEqual(appended, room ? emitted : emitted.slice(0, -1));
  }));
});

Deno.test("AnsweringPolicy may return an empty answer (trap 5)", () => {
  const { policy, emitted, appended } = answered([], 3);
  deepStrictEqual([policy.count, policy.finishReason, emitted, appended], [
    0,
    "stop",
    [],
    [],
  ]);
});

Deno.test("AnsweringPolicy ends at each end token of a checkpoint, and does not report it", () => {
  for (const end of [EOS, 6, 7]) {
    const emitted: number[] = [];
    const options = { eos: EOS, endTokens: [6, 7], maxTokens: 9 };
    const policy = new AnsweringPolicy(
      { ...options, sampling: greedy, key },
      (token) => emitted.push(token),
    );
    ok(policy.choose([saying(1)]) !== undefined);
    strictEqual(policy.choose([saying(end)]), undefined);
    deepStrictEqual([emitted, policy.finishReason], [[1], "stop"]);
  }
});

Deno.test("AnsweringPolicy ends with the token at which stop() is called", () => {
  const emitted: number[] = [];
  const policy: AnsweringPolicy = new AnsweringPolicy(
    { eos: EOS, maxTokens: 9, sampling: greedy, key },
    (token) => {
      emitted.push(token);
      if (token === 3) policy.stop();
    },
  );
  ok(policy.choose([saying(2)]) !== undefined);
  strictEqual(policy.choose([saying(3)]), undefined);
  deepStrictEqual(emitted, [2, 3]);
  deepStrictEqual([policy.count, policy.finishReason], [2, "stop"]);
});

Deno.test("AnsweringPolicy uses the random number of its stream at each position", () => {
  const sampling = { temperature: 1, topK: 0, topP: 1 };
  const emitted: number[] = [];
  const policy = new AnsweringPolicy(
    { eos: -1, maxTokens: 20, sampling, key },
    (token) => emitted.push(token),
  );
  const logits = Float32Array.from({ length: SIZE }, (_, i) => Math.cos(i));
  for (let at = 0; at < 20; at++) policy.choose([[logits.slice()]]);
  const expected = Array.from(
    { length: 20 },
    (_, at) => sample(logits, sampling, () => uniformAt(key, at)),
  );
  deepStrictEqual(emitted, expected);
});
