import { deepStrictEqual, ok } from "node:assert/strict";
import * as fc from "fast-check";
import { sequenceCost, sharesOf } from "../../../lib/tuning/passes/shares.ts";
import { defaultSettings } from "../../../lib/tuning/settings.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";
import { NO_LABEL } from "../../../lib/tuning/sequence.ts";

Deno.test("sharesOf gives each index away once, and no share much more than the mean", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 12 }),
    fc.integer({ min: 1, max: 5 }),
    (costs, parallel) => {
      const shares = sharesOf(costs, parallel);
      deepStrictEqual(
        shares.flat().sort((a, b) => a - b),
        [...costs.keys()],
      );
      const sums = shares.map((share) =>
        share.reduce((sum, index) => sum + costs[index]!, 0)
      );
      const mean = costs.reduce((sum, cost) => sum + cost, 0) / parallel;
      // Graham's bound of a greedy schedule.
      const bound = mean + (1 - 1 / parallel) * Math.max(0, ...costs);
      ok(Math.max(...sums) <= bound + 1e-9, `${sums} of ${bound}`);
      for (const share of shares) {
        deepStrictEqual(share, share.toSorted((a, b) => a - b));
      }
    },
  ));
});

Deno.test("sharesOf puts the greatest beside all others, if they are as much", () => {
  deepStrictEqual(sharesOf([1, 3, 1, 1], 2), [[1], [0, 2, 3]]);
});

Deno.test("sequenceCost grows with tokens, labels and replay, and falls with layers", () => {
  const config = parseLanguageConfig({});
  const lora = defaultSettings("lora").method;
  const sequence = (length: number, labels: number, replayed = false) => {
    const tokens = new Int32Array(length);
    return {
      key: "a",
      tokens,
      labels: tokens.map((_, i) => i < length - labels ? NO_LABEL : 0),
      replayed,
    };
  };
  const cost = sequenceCost(config, lora, sequence(300, 10));
  ok(cost < sequenceCost(config, lora, sequence(310, 10)));
  ok(cost < sequenceCost(config, lora, sequence(300, 20)));
  ok(cost < sequenceCost(config, lora, sequence(300, 10, true)));
  ok(lora.kind === "lora");
  ok(cost > sequenceCost(config, { ...lora, layers: [31] }, sequence(300, 10)));
});
