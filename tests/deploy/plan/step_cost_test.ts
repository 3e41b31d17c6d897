import { strictEqual } from "node:assert/strict";
import { costOf } from "../../../deploy/plan/step_cost.ts";

Deno.test("costOf() interpolates between measured sizes, and is constant beyond the ends", () => {
  const table = [
    { size: 2, milliseconds: 10 },
    { size: 4, milliseconds: 20 },
    { size: 8, milliseconds: 24 },
  ];
  const costs = [1, 2, 3, 4, 6, 8, 9].map((size) => costOf(table, size));
  strictEqual(costs.join(), "10,10,15,20,22,24,24");
  strictEqual(costOf([], 3), 0);
});
