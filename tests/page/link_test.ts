/** Links that draw, and drawings that outlive the page. */

import { match, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { startServer } from "../support/server.ts";
import { openPage, pageTest } from "./browser.ts";
import { openUnsteadyServer } from "./unsteady_server.ts";
import { visit } from "./visit.ts";

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));

/** What the browser says of a request that a reload ends. */
const BROKEN_OFF = /net::ERR|Failed to load resource/;

const LINK = "#draw?prompt=three+apples&seed=4";

function whole(page: Page, seed: number): Promise<void> {
  return page.getByText(new RegExp(`seed ${seed} ·.* tokens in`)).waitFor();
}

function drawings(asked: readonly { path: string }[]): number {
  return asked.filter(({ path }) => path === "/v1/generate").length;
}

pageTest(
  "a link with settings draws, and shows what was drawn before",
  async () => {
    await using opened = await visit(server.url);
    const { page, asked } = opened;
    await page.goto(`${server.url}/${LINK}`);
    await whole(page, 4);
    strictEqual(
      await page.getByLabel("What to draw").inputValue(),
      "three apples",
    );
    strictEqual(drawings(asked), 1);
    await page.getByText("Earlier pictures (1)").waitFor();
    // Another view and back is no new link.
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
  "a link without a seed draws by any, one without a prompt waits",
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

pageTest("a link to several pictures shows all of them again", async () => {
  await using opened = await visit(`${server.url}/${LINK}&n=2`);
  const { page, asked } = opened;
  await whole(page, 4);
  await page.getByText("Earlier pictures (2)").waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Picture 2 of 2" }).waitFor();
  strictEqual(drawings(asked), 1);
});

pageTest(
  "a page that is loaded again in mid-drawing goes on with it",
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
      await page.getByLabel("What to draw").inputValue(),
      "three apples",
    );
    strictEqual(
      await page.evaluate(`sessionStorage.getItem("emu3-drawing")`),
      null,
    );
    // What is done is not drawn again.
    await page.getByText("Earlier pictures (1)").waitFor();
    await page.reload();
    await page.getByText("three apples · emu3-mini · seed 4").waitFor();
    strictEqual(unsteady.asked.length, 2);
  },
);

pageTest(
  "several pictures that a reload broke off are drawn from the beginning, by their seed",
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
  "a drawing that was stopped is over, also for the page that is loaded again",
  async () => {
    await using unsteady = openUnsteadyServer(server.url);
    unsteady.breakAfter = 6;
    unsteady.stalls = true;
    await using opened = await openPage(unsteady.url, { allowed: BROKEN_OFF });
    const { page } = opened;
    await page.getByText("Ready: emu3-mini").waitFor();
    await page.getByLabel("What to draw").fill("a cat");
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
  "a dropped file that is no picture says so, until something else is done",
  async () => {
    await using opened = await openPage(server.url);
    const { page } = opened;
    await page.getByText("Ready: emu3-mini").waitFor();
    await page.getByText("Nothing drawn yet").waitFor();
    const told = page.getByText(/^notes\.txt is no picture: PNG, JPEG/);
    for (
      const next of [
        () => page.getByLabel("What to draw").fill("a cat"),
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
    await page.getByText(/^archive is no picture/).waitFor();
    await drop(page, "broken.png", "image/png");
    await page.getByText("broken.png cannot be shown.").waitFor();
  },
);
