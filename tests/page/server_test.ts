/** The Server view, in a browser. */

import { ok, strictEqual } from "node:assert/strict";
import { startServer } from "../support/server.ts";
import { drawnFile } from "./files.ts";
import { visit } from "./visit.ts";
import { pageTest, WIDTHS } from "./browser.ts";

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));
const url = `${server.url}/#server`;

for (const width of WIDTHS) {
  pageTest(
    `Server view at ${width}: shows models, their start and their load`,
    async () => {
      await using seen = await visit(url, { width });
      const { page } = seen;
      const mini = page.getByRole("region", {
        name: "emu3-mini",
        exact: true,
      });
      await mini.getByText("generate, caption, score").waitFor();
      await mini.getByText(/Startup: ready after/).waitFor();
      await mini.getByText("weights").waitFor();
      await mini.getByText("0 of 16").waitFor();
      await drawnFile(server.url, "a cat", 1);
      // Counted after the next poll.
      await page.locator(".numbers div", { hasText: "since the start" })
        .locator("dd").filter({ hasNotText: /^(0|–)$/ }).waitFor();
      await page.getByRole("img", { name: /Tokens per second/ }).waitFor();
      await seen.check("server");
    },
  );
}

pageTest("Server view: polling stops while the view is hidden", async () => {
  await using seen = await visit(url);
  const { page, asked } = seen;
  const looks = () => asked.filter(({ path }) => path === "/metrics").length;
  await page.waitForRequest("**/metrics");
  await page.evaluate(`{
        Object.defineProperty(document, "hidden", { value: true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }`);
  const before = looks();
  await page.waitForTimeout(2500);
  strictEqual(looks(), before);
  await page.evaluate(`{
        Object.defineProperty(document, "hidden", { value: false });
        document.dispatchEvent(new Event("visibilitychange"));
      }`);
  await page.waitForRequest("**/metrics");
});

pageTest("Server view: the progress of a start is shown", async () => {
  await using seen = await visit(server.url);
  const { page } = seen;
  await page.route(
    "**/v1/models",
    (route) => route.fulfill({ json: { object: "list", data: [LOADING] } }),
  );
  await page.getByRole("link", { name: "Server" }).click();
  const model = page.getByRole("region", { name: "Emu3-Gen" });
  await model.getByText(
    "in progress, 4.00 GB of 16.00 GB, 1.00 GB/s, 12 s left",
  )
    .waitFor();
  await model.getByText("Startup: 3.0 s so far").waitFor();
  ok(await page.getByRole("progressbar").count() > 0);
});
/** Model whose weights are being downloaded. */
const LOADING = {
  id: "Emu3-Gen",
  object: "model",
  aliases: [],
  capabilities: ["generate"],
  precision: "bf16",
  device: "cpu",
  state: "loading",
  revision: null,
  "context_length": null,
  "image_area": null,
  examples: [],
  adapters: [],
  phases: [
    { name: "resolve", "started_at": 1, seconds: 2 },
    {
      name: "download",
      "started_at": 3,
      transfer: {
        place: "hub",
        bytes: 4e9,
        "total_bytes": 16e9,
        "bytes_per_second": 1e9,
      },
    },
  ],
};
