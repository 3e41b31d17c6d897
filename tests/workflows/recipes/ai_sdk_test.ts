/** The recipe with the AI SDK. */

import { match, strictEqual } from "node:assert/strict";
import { CONFIG } from "../../support/readme_examples.ts";
import { startServer } from "../../support/server.ts";
import { recipeFolder, startRecipe } from "./recipe_files.ts";

const PROGRAM = [`--config=${CONFIG}`, "judge.ts"];

Deno.test("the chain ends with the first picture that the judge accepts", async () => {
  await using server = await startServer();
  using folder = recipeFolder();
  const env = { EMU3_URL: server.url };
  await using accepted = startRecipe(folder, PROGRAM, env);
  strictEqual(
    await accepted.printed,
    "4: Three apples on a blue background. Yes, there is an apple.\n",
  );
  // Of the same order: the first drawing is not repeated.
  const order = ["order-20", "three apples", "Is there a star?"];
  await using refused = startRecipe(folder, [...PROGRAM, ...order], env);
  match(await refused.printed, /^(\d: .* No, there is no star\.\n){3}$/);
});
