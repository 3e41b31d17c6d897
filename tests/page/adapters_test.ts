/** The choice of an adapter in the Draw and Ask views. */

import { Buffer } from "node:buffer";
import { match, strictEqual } from "node:assert/strict";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { writeAdapter } from "../support/adapters.ts";
import { startServer } from "../support/server.ts";
import { drawnFile } from "./files.ts";
import { pageTest, WIDTHS } from "./browser.ts";
import { REFUSED, visit } from "./visit.ts";

const mini = new URL("../../models/emu3-mini", import.meta.url).pathname;
const { config } = await openLanguageCheckpoint(mini);
const adapter = writeAdapter(config, { seed: 1, rank: 2, size: 0.02 });
const server = await startServer({ ADAPTERS: `mine=${adapter.path}` });
globalThis.addEventListener("unload", () => {
  server.process.kill("SIGTERM");
  adapter[Symbol.dispose]();
});

/** A link that draws with an adapter. */
function linkWith(adapter: string): string {
  return `${server.url}/#draw?prompt=three+apples&seed=1&adapter=${adapter}`;
}

for (const width of WIDTHS) {
  pageTest(
    `Draw view at ${width}: draws with the chosen adapter`,
    async () => {
      await using seen = await visit(server.url, { width });
      const { page } = seen;
      await page.getByLabel("Adapter").selectOption("mine");
      await page.getByLabel("Prompt", { exact: true }).fill("three apples");
      await page.getByRole("button", { name: "Draw", exact: true }).click();
      await page.getByRole("link", { name: "Download" }).waitFor();
      const { body } = seen.asked.findLast(({ path }) =>
        path === "/v1/generate"
      )!;
      strictEqual(JSON.parse(body).adapter, "mine");
      await seen.check("draw-adapter");
    },
  );
}

pageTest("Draw view: a link chooses its adapter", async () => {
  await using seen = await visit(linkWith("mine"));
  const { page } = seen;
  await page.getByRole("link", { name: "Download" }).waitFor();
  strictEqual(await page.getByLabel("Adapter").inputValue(), "mine");
});

pageTest("Draw view: a link with a missing adapter is refused", async () => {
  await using seen = await visit(linkWith("gone"), { allowed: REFUSED });
  const { page } = seen;
  await page.getByText(`loaded adapters are "mine"`).waitFor();
  strictEqual(await page.getByLabel("Adapter").inputValue(), "gone");
});

pageTest("Ask view: asks with the chosen adapter", async () => {
  const file = await drawnFile(server.url, "a rocket above a tree", 6);
  await using seen = await visit(`${server.url}/#ask`);
  const { page } = seen;
  await page.locator("input[type=file]").first()
    .setInputFiles({ ...file, buffer: Buffer.from(file.buffer) });
  await page.getByText("16 × 16 codes").waitFor();
  await page.getByText("More settings").click();
  await page.getByLabel("Adapter").selectOption("mine");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.locator(".answer").first().waitFor();
  const { body } = seen.asked.findLast(({ path }) => path === "/v1/caption")!;
  match(body, /"adapter":"mine"/);
});
