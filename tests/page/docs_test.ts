/** The API reference: its colors, and its collapsed parts. */

import { ok, strictEqual } from "node:assert/strict";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { openPage, pageTest, WIDTHS } from "./browser.ts";

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));

pageTest(
  "reference: colors follow light and dark mode, also while it is open",
  async () => {
    await using opened = await openPage(`${server.url}/docs`);
    const { page } = opened;
    await page.locator(".opblock").first().waitFor();
    const background = () =>
      page.evaluate(
        "getComputedStyle(document.documentElement).backgroundColor",
      );
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = String(await background());
    const levels = dark.match(/\d+/g)!.map(Number);
    ok(levels.every((level) => level < 64), dark);
    await page.emulateMedia({ colorScheme: "light" });
    await until(async () => await background() === light);
  },
);

for (const width of WIDTHS) {
  pageTest(
    `API reference at ${width}: problems and schemas are collapsed, and open on click`,
    async () => {
      const url = `${server.url}/docs#/functions/generate`;
      await using opened = await openPage(url, { width });
      const { page } = opened;
      const folded = page.getByRole("button", { name: /^413 body-too-large/ });
      await folded.waitFor();
      const examples = page.locator(".responses-table .highlight-code");
      strictEqual(await examples.count(), 2);
      await folded.click();
      await page.locator(".response[data-code='413']").waitFor();
      strictEqual(await folded.count(), 0);
      strictEqual(await examples.count(), 3);
      const schemas = page.locator("button.models-control");
      strictEqual(await schemas.getAttribute("aria-expanded"), "false");
      strictEqual(await page.getByText("GenerateAnswer").count(), 0);
      await schemas.click();
      await page.getByText("GenerateAnswer", { exact: true }).waitFor();
    },
  );
}
