/** The types of the recipes. */

import { deepStrictEqual } from "node:assert/strict";
import { CONFIG, succeeds } from "../../support/readme_examples.ts";
import { recipeFiles, recipeFolder } from "./recipe_files.ts";

/** The files that need the packages of the page's deno.json. */
const OWN = ["workflow.ts", "with_pglite.ts"];

Deno.test("recipes have valid types", async () => {
  using folder = recipeFolder();
  const files = [...recipeFiles().keys()].filter((name) =>
    name.endsWith(".ts")
  );
  const others = files.filter((name) => !OWN.includes(name));
  deepStrictEqual(others, [
    "emu3.ts",
    "draw_and_ask.ts",
    "receive.ts",
    "judge.ts",
  ]);
  for (
    const [config, names] of [["deno.json", OWN], [CONFIG, others]] as const
  ) {
    const args = ["check", "-q", `--config=${config}`, ...names];
    await succeeds(Deno.execPath(), args, folder.path);
  }
});
