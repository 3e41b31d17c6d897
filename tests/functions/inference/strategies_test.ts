/** The strategies that a request may set. */

import { strictEqual, throws } from "node:assert/strict";
import * as v from "valibot";
import { generationParams } from "../../../functions/inference/generation_params.ts";
import { GenerateRequest } from "../../../functions/schema/generate.ts";
import { STRATEGY_NAMES } from "../../../lib/drawing/strategy.ts";
import { fakeServices } from "../../support/fake_models.ts";

const services = fakeServices(() => {
  throw new Error("nothing is drawn");
});
const models = services.imageGenerator(undefined);

Deno.test("generationParams() takes each strategy that the model supports, and names them for others", () => {
  const lossless = ["autoregressive", "jacobi"] as const;
  for (const strategies of [undefined, STRATEGY_NAMES, lossless]) {
    for (const strategy of [undefined, ...STRATEGY_NAMES]) {
      const request = v.parse(GenerateRequest, { prompt: "a fox", strategy });
      const drawn = () =>
        generationParams(request, { ...models, strategies }).strategy.name;
      if (strategies === lossless && strategy === "zipar") {
        throws(drawn, /zipar.*int8: omit it or use autoregressive or jacobi/);
      } else {
        strictEqual(drawn(), strategy ?? "autoregressive");
      }
    }
  }
});
