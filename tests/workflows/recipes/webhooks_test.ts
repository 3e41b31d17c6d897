/** The receiver of webhooks in TypeScript, with the server's own deliveries. */

import { strictEqual } from "node:assert/strict";
import { freePort } from "../../support/free_port.ts";
import { JobClient } from "../../support/job_client.ts";
import { json } from "../../support/tiny_server.ts";
import { until } from "../../support/until.ts";
import {
  listenWithWebhooks,
  WEBHOOK_SECRET,
} from "../../support/webhook_server.ts";
import { CONFIG } from "../../support/readme_examples.ts";
import { recipeFolder, startRecipe } from "./recipe_files.ts";

Deno.test("the receiver takes signed notifications once, and refuses others", async () => {
  const port = freePort();
  const receiver = `http://127.0.0.1:${port}/`;
  await using server = await listenWithWebhooks(receiver);
  using folder = recipeFolder({ "port: 8000": `port: ${port}` });
  const command = [`--config=${CONFIG}`, "receive.ts"];
  await using program = startRecipe(folder, command, { WEBHOOK_SECRET });
  await until(() => fetch(receiver).then(() => true, () => false));
  const unsigned = await fetch(receiver, json({ type: "job.succeeded" }));
  strictEqual(await unsigned.text(), "not signed by the server");
  strictEqual(unsigned.status, 401);
  const client = new JobClient((path, init) =>
    fetch(`${server.url}${path}`, init)
  );
  const body = { prompt: "a fox", webhook: { url: "https://example.org" } };
  const headers = {
    prefer: "respond-async",
    accept: "application/octet-stream",
  };
  const submitted = await client.send("/v1/generate", json(body, headers));
  const { id } = await submitted.json();
  const { result } = await client.ended(id);
  await until(() => program.soFar().endsWith("\n"));
  const { grid_height: height } = result;
  strictEqual(program.soFar(), `job.succeeded ${id} ${height}\n`);
});
