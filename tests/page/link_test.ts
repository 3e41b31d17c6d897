/** The links that draw, and drawings that survive a reload. */

import { match, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { startServer } from "../support/server.ts";
import { openPage, pageTest } from "./browser.ts";
import { openUnsteadyServer } from "./unsteady_server.ts";
import { visit } from "./visit.ts";

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));

/** Console messages of requests that a reload aborts. */
const BROKEN_OFF = /net::ERR|Failed to load resource/;

const LINK = "#draw?prompt=three+apples&seed=4";

function whole(page: Page, seed: number): Promise<void> {
  return page.getByText(new RegExp(`seed ${seed} ·.* tokens in`)).waitFor();
}

function drawings(asked: readonly { path: string }[]): number {
  return asked.filter(({ path }) => path === "/v1/generate").length;
}

pageTest(
  "Link with settings draws, and shows a stored picture without drawing",
  async () => {
    await using opened = await visit(server.url);
    const { page, asked } = opened;
    await page.goto(`${server.url}/${LINK}`);
    await whole(page, 4);
    strictEqual(
      await page.getByLabel("Prompt", { exact: true }).inputValue(),
      "three apples",
    );
    strictEqual(drawings(asked), 1);
    await page.getByText("Earlier pictures (1)").waitFor();
    // A visit to another view is no new link.
    await page.getByRole("link", { name: "Server", exact: true }).click();
    await page.goBack();
    await page.getByRole("link", { name: "Download" }).waitFor();
    await page.reload();
    await page.getByText("three apples · emu3-mini · seed 4").waitFor();
    await page.getByRole("link", { name: "Download" }).waitFor();
    strictEqual(drawings(asked), 1);
  },
);

pageTest(
  "Link without a seed uses a random one, and without a prompt draws nothing",
  async () => {
    await using opened = await visit(`${server.url}/#draw?prompt=&seed=4`);
    const { page, asked } = opened;
    await page.getByText("Ready: emu3-mini").waitFor();
    await page.goto(`${server.url}/#draw?prompt=a+cat`);
    await page.getByText(/seed \d+ ·.* tokens in/).waitFor();
    strictEqual(drawings(asked), 1);
    match(page.url(), /#draw\?prompt=a\+cat&.*seed=\d+$/);
  },
);

pageTest("Link shows several pictures again", async () => {
  await using opened = await visit(`${server.url}/${LINK}&n=2`);
  const { page, asked } = opened;
  await whole(page, 4);
  await page.getByText("Earlier pictures (2)").waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Picture 2 of 2" }).waitFor();
  strictEqual(drawings(asked), 1);
});

pageTest(
  "reload: a drawing that was in progress is resumed from its rows",
  async () => {
    await using unsteady = openUnsteadyServer(server.url);
    unsteady.breakAfter = 6;
    unsteady.stalls = true;
    await using opened = await openPage(unsteady.url, { allowed: BROKEN_OFF });
    const { page } = opened;
    await page.goto(`${unsteady.url}/${LINK}`);
    await page.getByText(/^Row 6 of 16/).waitFor();
    await page.reload();
    await whole(page, 4);
    const [, resumed] = unsteady.asked;
    strictEqual(unsteady.asked.length, 2);
    strictEqual(resumed!.seed, 4);
    strictEqual(resumed!.prefix!.codes.length, 6);
    strictEqual(
      await page.getByLabel("Prompt", { exact: true }).inputValue(),
      "three apples",
    );
    strictEqual(
      await page.evaluate(`sessionStorage.getItem("emu3-drawing")`),
      null,
    );
    // A complete picture is not drawn again.
    await page.getByText("Earlier pictures (1)").waitFor();
    await page.reload();
    await page.getByText("three apples · emu3-mini · seed 4").waitFor();
    strictEqual(unsteady.asked.length, 2);
  },
);

pageTest(
  "reload: several pictures are redrawn from the beginning with their seed",
  async () => {
    await using unsteady = openUnsteadyServer(server.url);
    unsteady.breakAfter = 6;
    unsteady.stalls = true;
    await using opened = await openPage(unsteady.url, { allowed: BROKEN_OFF });
    const { page } = opened;
    await page.goto(`${unsteady.url}/${LINK}&n=2`);
    await page.getByText(/^Row 6 of 32/).waitFor();
    await page.reload();
    await whole(page, 4);
    const [, again] = unsteady.asked;
    strictEqual(again!.seed, 4);
    strictEqual(again!.prefix, undefined);
  },
);

pageTest(
  "reload: a drawing that was stopped before the reload is not resumed",
  async () => {
    await using unsteady = openUnsteadyServer(server.url);
    unsteady.breakAfter = 6;
    unsteady.stalls = true;
    await using opened = await openPage(unsteady.url, { allowed: BROKEN_OFF });
    const { page } = opened;
    await page.getByText("Ready: emu3-mini").waitFor();
    await page.getByLabel("Prompt", { exact: true }).fill("a cat");
    await page.getByRole("button", { name: "Draw", exact: true }).click();
    await page.getByText(/^Row 6 of 16/).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/\(6 of 16 rows\)/).waitFor();
    strictEqual(
      await page.evaluate(`sessionStorage.getItem("emu3-drawing")`),
      null,
    );
  },
);

/** Drops a file onto the page. */
async function drop(page: Page, name: string, type: string): Promise<void> {
  await page.evaluate(`(() => {
    const data = new DataTransfer();
    data.items.add(new File(["words"], "${name}", { type: "${type}" }));
    document.body.dispatchEvent(
      new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }),
    );
  })()`);
}

pageTest(
  "Draw view: a dropped file that is no picture shows an error until the next action",
  async () => {
    await using opened = await openPage(server.url);
    const { page } = opened;
    await page.getByText("Ready: emu3-mini").waitFor();
    await page.getByText("No picture yet. Choose").waitFor();
    const told = page.getByText(/^notes\.txt is not a picture: .*PNG, JPEG/);
    for (
      const next of [
        () => page.getByLabel("Prompt", { exact: true }).fill("a cat"),
        () => page.getByRole("link", { name: "Server", exact: true }).click(),
      ]
    ) {
      await drop(page, "notes.txt", "text/plain");
      await told.waitFor();
      await next();
      await told.waitFor({ state: "hidden" });
    }
    await page.goBack();
    await drop(page, "archive", "");
    await page.getByText(/^archive is not a picture/).waitFor();
    await drop(page, "broken.png", "image/png");
    await page.getByText("broken.png cannot be shown.").waitFor();
  },
);
