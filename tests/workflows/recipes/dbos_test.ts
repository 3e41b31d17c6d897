/** The recipe with DBOS on PGlite, over crashes and a cancellation. */

import { match, strictEqual } from "node:assert/strict";
import { freePort } from "../../support/free_port.ts";
import { startServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { drawings, drewOnce, inMidDrawing, keepBusy } from "./drawings.ts";
import { recipeFolder, startRecipe } from "./recipe_files.ts";

const WORKFLOW = ["with_pglite.ts", "order-1"];

Deno.test("a workflow ends with one drawing after kills of its process and of the server", async () => {
  using store = temporaryFolder();
  const settings = {
    PORT: String(freePort()),
    STORE: `${store.path}/jobs.sqlite`,
  };
  await using server = await startServer(settings);
  using folder = recipeFolder({ "5433": String(freePort()) });
  const env = { EMU3_URL: server.url };
  await using first = startRecipe(folder, WORKFLOW, env);
  await inMidDrawing(server.url, first);
  await first.crash();
  server.process.kill("SIGKILL");
  await server.process.status;
  await using second = startRecipe(folder, WORKFLOW, env);
  await using again = await startServer(settings);
  strictEqual(await second.printed, "Three apples on a blue background.\n");
  await drewOnce(again.url);
});

Deno.test("Ctrl+C cancels a workflow and its drawing", async () => {
  await using server = await startServer();
  using folder = recipeFolder({ "5433": String(freePort()) });
  const env = { EMU3_URL: server.url };
  const others = await keepBusy(server.url);
  await using program = startRecipe(folder, WORKFLOW, env);
  await inMidDrawing(server.url, program, others);
  program.interrupt();
  match(await program.printed.then(() => "", String), /order-1 was cancelled/);
  const [{ status } = { status: "none" }] = await drawings(server.url);
  strictEqual(status, "canceled");
});
