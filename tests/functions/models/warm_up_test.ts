import { deepStrictEqual, rejects } from "node:assert/strict";
import { warmLanguage } from "../../../functions/models/load_models.ts";
import type { EngineRequest } from "../../../lib/engine/sequence.ts";
import type { OpenedLanguageModel } from "../../../lib/language_model.ts";

const STRATEGY = { name: "autoregressive" } as const;

/** Returns a model that loads further, and the requests of its engine. */
function largeModel(error?: Error) {
  const requests: EngineRequest[] = [];
  const run = (request: EngineRequest) => {
    requests.push(request);
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  };
  const model = {
    engine: { run },
    vocabulary: { bos: 7 },
    finishLoading: () => Promise.resolve(),
  } as unknown as OpenedLanguageModel;
  return { model, requests };
}

for (
  const [plan, heads] of [
    [{ draws: true, answers: false }, ["codes"]],
    [{ draws: false, answers: true }, ["vocabulary"]],
    [{ draws: true, answers: true }, ["codes", "vocabulary"]],
  ] as const
) {
  Deno.test(`the warm-up of a large model runs two tokens with each head: ${heads}`, async () => {
    const { model, requests } = largeModel();
    await warmLanguage(model, plan, STRATEGY);
    deepStrictEqual(requests.map(({ policy: { head } }) => head), heads);
    for (const { prompts, policy } of requests) {
      deepStrictEqual(prompts.map(({ tokens }) => [...tokens]), [[7, 7]]);
      deepStrictEqual(policy.choose([]), undefined);
    }
  });
}

Deno.test("the warm-up of a large model rejects with the error of its run", async () => {
  const error = new Error("no kernel");
  const { model } = largeModel(error);
  const plan = { draws: true, answers: false };
  await rejects(warmLanguage(model, plan, STRATEGY), error);
});
