/** The recovery of the page from failures. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { readPng } from "../../functions/playground/logic/png_text.js";
import { startServer } from "../support/server.ts";
import { openPage, pageTest, WIDTHS } from "./browser.ts";
import { openUnsteadyServer } from "./unsteady_server.ts";
import { download } from "./visit.ts";

const KEY = "a-key-of-a-test";

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));

/** Console messages of failed requests. */
const NETWORK = /Failed to load resource|net::ERR/;

async function askFor(page: Page, seed: number): Promise<void> {
  await page.getByText("Ready: emu3-mini").waitFor();
  await page.getByLabel("Prompt", { exact: true }).fill("three apples");
  await page.getByLabel("Seed", { exact: true }).fill(String(seed));
  await page.getByRole("button", { name: "Draw", exact: true }).click();
}

function whole(page: Page, seed: number): Promise<void> {
  return page.getByText(new RegExp(`seed ${seed} ·.* tokens in`)).waitFor();
}

pageTest(
  "Playground: a drawing that the server interrupts is resumed from its rows",
  async () => {
    await using unsteady = openUnsteadyServer(server.url);
    unsteady.breakAfter = 5;
    await using opened = await openPage(unsteady.url, { allowed: NETWORK });
    const { page, check } = opened;
    await askFor(page, 11);
    await page.locator("#state", { hasText: /refuses|is not reachable/ })
      .waitFor();
    await page.getByText("It continues automatically.").waitFor();
    await check("failure-away");
    unsteady.away = false;
    await whole(page, 11);
    strictEqual(unsteady.asked.length, 2);
    const [, resumed] = unsteady.asked;
    strictEqual(resumed!.seed, 11);
    strictEqual(resumed!.prefix!.codes.length, 5);
    await page.getByRole("main").getByRole("link", { name: "Look inside" })
      .click();
    // Logprobs of the earlier rows are available, too.
    await page.locator("button[value=surprise]:enabled").waitFor();
    const cells = page.getByRole("application").first();
    await cells.focus();
    await page.keyboard.press("Control+Home");
    await page.getByText(/^Row 1, column 1: code \d+, .*entropy/).waitFor();
  },
);

pageTest(
  "Playground: a resume state of the server takes precedence",
  async () => {
    await using unsteady = openUnsteadyServer(server.url);
    const codes = Array.from({ length: 7 }, () => Array(16).fill(3));
    const problem = {
      type: "/problems/interrupted",
      status: 503,
      detail: "Cannot finish: the server stops, another one can go on",
      retryable: true,
      state: {
        seed: 12,
        images: [{ prefix: { height: 7, width: 16, codes } }],
      },
    };
    unsteady.breakAfter = 2;
    unsteady.lastWords = () =>
      `event: error\ndata: ${JSON.stringify(problem)}\n\n`;
    await using opened = await openPage(unsteady.url, { allowed: NETWORK });
    const { page } = opened;
    await askFor(page, 12);
    await page.getByText(problem.detail).waitFor();
    unsteady.away = false;
    await whole(page, 12);
    deepStrictEqual(unsteady.asked[1]!.prefix!.codes, codes);
  },
);

for (const width of WIDTHS) {
  pageTest(
    `Playground at ${width}: a full queue is retried after its Retry-After`,
    async () => {
      await using unsteady = openUnsteadyServer(server.url);
      const detail = "Cannot accept: more requests wait than are kept";
      unsteady.refusals.push(() =>
        Response.json(
          {
            type: "/problems/overloaded",
            status: 503,
            detail,
            retryable: true,
          },
          { status: 503, headers: { "retry-after": "3" } },
        )
      );
      await using opened = await openPage(unsteady.url, {
        width,
        allowed: NETWORK,
      });
      const { page } = opened;
      await askFor(page, 4);
      await page.getByText(detail).waitFor();
      await page.getByText(/^Retry in [123] s\.$/).waitFor();
      await whole(page, 4);
      strictEqual(await page.locator(".notice:visible").count(), 0);
    },
  );
}

pageTest(
  "Playground: a stopped drawing is shown as a picture and can be resumed",
  async () => {
    await using unsteady = openUnsteadyServer(server.url);
    unsteady.breakAfter = 6;
    unsteady.stalls = true;
    await using opened = await openPage(unsteady.url);
    const { page, check } = opened;
    await askFor(page, 11);
    await page.getByText(/^Row 6 of 16/).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/\(6 of 16 rows\)/).waitFor();
    await page.getByRole("link", { name: "Download" }).waitFor();
    await check("draw-stopped");
    strictEqual((await readPng(await download(page)))?.height, 48);
    const scoring = page.waitForRequest("**/v1/score");
    await page.getByRole("main").getByRole("link", { name: "Look inside" })
      .click();
    // The beginning is scored as part of the whole that was requested.
    strictEqual((await scoring).postDataJSON().grid.height, 16);
    await page.locator("button[value=surprise]:enabled").waitFor();
    strictEqual(
      await page.getByLabel("From row").getAttribute("max"),
      "6",
    );
    await page.goBack();
    unsteady.stalls = false;
    await page.getByRole("button", { name: "Continue" }).click();
    await whole(page, 11);
    const [, resumed] = unsteady.asked;
    strictEqual(resumed!.seed, 11);
    strictEqual(resumed!.prefix!.codes.length, 6);
    strictEqual(
      await page.getByRole("button", { name: "Continue" }).isVisible(),
      false,
    );
  },
);

pageTest("Playground: a wait can be stopped", async () => {
  await using unsteady = openUnsteadyServer(server.url);
  unsteady.refusals.push(() =>
    Response.json({ type: "/problems/overloaded", detail: "full" }, {
      status: 503,
      headers: { "retry-after": "3600" },
    })
  );
  await using opened = await openPage(unsteady.url, { allowed: NETWORK });
  const { page, check } = opened;
  await askFor(page, 4);
  await page.getByText(/^Retry in 3\d\d\d s\.$/).waitFor();
  await check("failure-full");
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText(/^Retry in/).waitFor({ state: "hidden" });
  strictEqual(unsteady.asked.length, 1);
});

pageTest(
  "Playground: the page shows the progress of a loading model, with bytes and times",
  async () => {
    await using opened = await openPage(`${server.url}/problems`);
    const { page, check } = opened;
    const listing = await (await fetch(`${server.url}/v1/models`)).json();
    const loading = {
      ...listing,
      data: listing.data.map((model: Record<string, unknown>) => ({
        ...model,
        state: "loading",
        examples: [],
        phases: [
          { name: "resolve", "started_at": 0, seconds: 0.2 },
          {
            name: "download",
            "started_at": 0.2,
            transfer: {
              place: "hub",
              bytes: 4e9,
              "total_bytes": 16e9,
              "bytes_per_second": 5e8,
            },
          },
        ],
      })),
    };
    await page.route(
      "**/v1/models",
      (route) => route.fulfill({ json: loading }),
    );
    await page.goto(server.url);
    await page.getByText("download: 4.00 GB of 16.00 GB, 500 MB/s, 24 s left")
      .first().waitFor();
    await page.getByLabel("Prompt", { exact: true }).fill("three apples");
    await page.getByLabel("Seed", { exact: true }).fill("11");
    await page.getByRole("button", { name: "Draw", exact: true }).click();
    await page.getByText("It starts when the model is ready.").waitFor();
    await check("failure-starting");
    await page.unroute("**/v1/models");
    await whole(page, 11);
  },
);

pageTest("Playground: a key is requested once per tab", async () => {
  await using keyed = await startServer({ API_KEYS: KEY });
  await using opened = await openPage(keyed.url, { allowed: /401/ });
  const { page, check } = opened;
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await check("failure-key");
  await dialog.getByLabel("API key").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByText(/Unknown API key/).waitFor();
  await dialog.getByLabel("API key").fill(KEY);
  await page.keyboard.press("Enter");
  await page.getByText("Ready: emu3-mini").waitFor();
  await page.reload();
  await askFor(page, 11);
  await whole(page, 11);
  strictEqual(await dialog.count(), 0);
  await page.getByText("Share, or use the API").click();
  const program = await page.getByLabel("Program").textContent();
  ok(program!.includes("$EMU3_KEY") && !program!.includes(KEY));
});

pageTest(
  "Playground: a lost connection is shown until it returns",
  async () => {
    await using opened = await openPage(server.url, { allowed: NETWORK });
    const { page, context, check } = opened;
    await page.getByText("Ready: emu3-mini").waitFor();
    await context.setOffline(true);
    await page.getByText("The server is not reachable.").waitFor();
    await check("failure-offline");
    await context.setOffline(false);
    await askFor(page, 11);
    await whole(page, 11);
  },
);
