import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { PlannedPolicy } from "../../../deploy/plan/planned_policy.ts";
import type { RequestClass } from "../../../deploy/plan/workload.ts";
import { Sequence } from "../../../lib/engine/sequence.ts";
import { answerOf } from "../../support/plans.ts";

/** Returns a sequence of a request with one token as its prompt. */
function sequenceOf(kind: RequestClass): Sequence {
  const policy = new PlannedPolicy(kind);
  const prompts = [{ tokens: Int32Array.of(1), prefixBoundaries: [1] }];
  return new Sequence(
    { prompts, policy, maxNewTokens: kind.maxNewTokens, long: kind.long },
    [0],
  );
}

Deno.test("PlannedPolicy feeds the tokens of its class in its number of runs", () => {
  const counts = fc.record({
    runs: fc.integer({ min: 1, max: 40 }),
    more: fc.integer({ min: 0, max: 60 }),
    speculates: fc.boolean(),
  });
  fc.assert(fc.property(counts, ({ runs, more, speculates }) => {
    const newTokens = runs + more;
    const tokensPerRun = speculates ? newTokens / runs + 1 : 1;
    const sequence = sequenceOf(
      answerOf({ runs, newTokens, maxNewTokens: newTokens, tokensPerRun }),
    );
    const narrow = new Set<boolean>();
    for (;;) {
      const draft = sequence.policy.choose([]);
      if (draft === undefined) break;
      sequence.push(draft);
      // Runs of one or two tokens join others, unless they are speculative.
      if (draft.tokens.length <= 2) narrow.add(sequence.joinsStep);
      sequence.appendDraft();
    }
    strictEqual(sequence.forwards, runs);
    strictEqual(sequence.rows[0]!.length, newTokens);
    deepStrictEqual([...narrow].filter((one) => one === speculates), []);
  }));
});

Deno.test("PlannedPolicy reports its first choice and its end once", () => {
  for (const runs of [0, 1, 5]) {
    const events: string[] = [];
    const policy = new PlannedPolicy(answerOf({ runs, newTokens: runs }), {
      onFirst: () => events.push("first"),
      onEnd: () => events.push("end"),
    });
    while (policy.choose() !== undefined);
    deepStrictEqual(events, ["first", "end"]);
  }
});
