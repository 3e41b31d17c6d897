/** The recipe over plain HTTP, over crashes of the program and of the server. */

import { strictEqual } from "node:assert/strict";
import { freePort } from "../../support/free_port.ts";
import { startServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { drewOnce, inMidDrawing } from "./drawings.ts";
import { recipeFolder, startRecipe } from "./recipe_files.ts";

const ORDER = ["draw_and_ask.ts", "order-1"];

Deno.test("a program that is killed while it draws gets the same drawing when it starts again", async () => {
  await using server = await startServer();
  using folder = recipeFolder();
  const env = { EMU3_URL: server.url };
  await using first = startRecipe(folder, ORDER, env);
  await inMidDrawing(server.url, first);
  await first.crash();
  await using second = startRecipe(folder, ORDER, env);
  strictEqual(await second.printed, "Three apples on a blue background.\n");
  await using third = startRecipe(folder, ORDER, env);
  strictEqual(await third.printed, await second.printed);
  await drewOnce(server.url);
});

Deno.test("a drawing is resumed when the server that was killed is back", async () => {
  using store = temporaryFolder();
  const settings = {
    PORT: String(freePort()),
    STORE: `${store.path}/jobs.sqlite`,
  };
  await using first = await startServer(settings);
  using folder = recipeFolder();
  await using program = startRecipe(folder, ORDER, { EMU3_URL: first.url });
  await inMidDrawing(first.url, program);
  first.process.kill("SIGKILL");
  await first.process.status;
  await using second = await startServer(settings);
  strictEqual(await program.printed, "Three apples on a blue background.\n");
  await drewOnce(second.url);
});

Deno.test("a refused request ends the program with the server's words", async () => {
  await using server = await startServer();
  using folder = recipeFolder({ "seed: 4": "seed: -1" });
  await using program = startRecipe(folder, ORDER, { EMU3_URL: server.url });
  const error = await program.printed.then(() => "", String);
  strictEqual(/Refused: .*\/seed: expected 0 or more/.test(error), true, error);
});
