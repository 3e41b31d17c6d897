/** The Look view, by pointer and by keyboard, on a desktop and on a phone. */

import { Buffer } from "node:buffer";
import { match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { decodeFrames } from "../../lib/image/decode.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { openPage, pageTest, WIDTHS } from "./browser.ts";
import { download } from "./visit.ts";

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));

/** Draws the picture of a link and opens the Look view. */
async function lookInside(page: Page): Promise<void> {
  await page.goto(`${server.url}/#draw?prompt=a+rocket+above+a+tree&seed=6`);
  await page.getByRole("main").getByRole("link", { name: "Look inside" })
    .click();
  await page.getByRole("application").first().waitFor();
  await scored(page);
}

/** Waits until the picture is scored. */
async function scored(page: Page): Promise<void> {
  await page.locator("button[value=surprise]:enabled").waitFor();
}

/** Locates the announcement for screen readers. */
function said(page: Page) {
  return page.locator(".view-look > .unseen[aria-live]");
}

/** Returns the pixels of the cells, as text. */
async function pixels(page: Page, nth = 0): Promise<string> {
  return await page.locator("canvas.cells").nth(nth).evaluate(
    async (canvas) => {
      const { requestAnimationFrame: next } = globalThis as unknown as {
        requestAnimationFrame(then: (time: number) => void): void;
      };
      // The first frame is the pending one; after the second it is painted.
      for (let i = 0; i < 2; i++) await new Promise((then) => next(then));
      return (canvas as unknown as { toDataURL(): string }).toDataURL();
    },
  );
}

for (const width of WIDTHS) {
  pageTest(
    `Look view at ${width}: a cell under the pointer shows its code, probability, entropy and alternatives`,
    async () => {
      await using opened = await openPage(server.url, { width });
      const { page, check } = opened;
      await check("look-empty-before");
      await lookInside(page);
      const cells = page.getByRole("application").first();
      await cells.scrollIntoViewIfNeeded();
      const box = (await cells.boundingBox())!;
      await cells.click({
        position: { x: box.width * 2.5 / 16, y: box.height * 4.5 / 16 },
      });
      await page.getByRole("heading", { name: "Row 5, column 3" }).waitFor();
      match(
        (await said(page).textContent())!,
        /^Row 5, column 3: code \d+, .* %, entropy \d+\.\d bits\./,
      );
      strictEqual(await page.locator(".rivals li").count(), 5);
      strictEqual(await page.getByLabel("From row").inputValue(), "5");
      await check("look-picture");
    },
  );

  pageTest(`Look view at ${width}: maps and a replay are shown`, async () => {
    await using opened = await openPage(server.url, { width });
    const { page, check } = opened;
    await lookInside(page);
    const picture = await pixels(page);
    await page.getByRole("button", { name: "Entropy" }).click();
    const entropy = await pixels(page);
    notStrictEqual(entropy, picture);
    await page.getByText(/^\d+\.\d bits$/).waitFor();
    await page.getByRole("button", { name: "Surprisal" }).click();
    notStrictEqual(await pixels(page), entropy);
    await check("look-map");
    await page.getByRole("button", { name: "Picture", exact: true }).click();
    strictEqual(await pixels(page), picture);
    const bar = page.getByLabel("Generated codes");
    await bar.fill("40");
    strictEqual(await bar.getAttribute("aria-valuetext"), "40 of 256 codes");
    const early = await pixels(page);
    notStrictEqual(early, picture);
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("button", { name: "Replay" }).waitFor();
    strictEqual(await bar.inputValue(), "256");
    strictEqual(await pixels(page), picture);
  });

  pageTest(
    `Look view at ${width}: a branch keeps the rows above, and is shown beside the picture`,
    async () => {
      await using opened = await openPage(server.url, { width });
      const { page, check } = opened;
      await lookInside(page);
      await page.getByLabel("From row").fill("9");
      await page.getByLabel("Prompt for the rest").fill("a rocket above a cat");
      await page.locator("form.branch").getByLabel("Seed", { exact: true })
        .fill("3");
      await page.locator("form.branch").getByLabel("Temperature").fill("0.5");
      const asking = page.waitForRequest("**/v1/generate");
      await page.getByRole("button", { name: "Branch", exact: true }).click();
      const asked = (await asking).postDataJSON();
      strictEqual(asked.prefix.codes.length, 8);
      strictEqual(asked.prompt, "a rocket above a cat");
      strictEqual(asked.seed, 3);
      strictEqual(asked.temperature, 0.5);
      await page.getByText(/^A and B differ in \d+ of 256 codes\.$/).waitFor();
      const text = await page.getByText(/^A and B differ/).textContent();
      const differing = Number(/\d+/.exec(text!)![0]);
      ok(differing > 0 && differing <= 128);
      await page.getByText("B: a rocket above a cat · seed 3").waitFor();
      await page.getByRole("button", { name: "Entropy" }).click();
      await check("look-branch");
      await page.getByRole("button", { name: "Continue with B" }).click();
      await page.getByText("A: a rocket above a cat · seed 3").waitFor();
      strictEqual(await page.getByRole("application").count(), 1);
      // It is the current picture in every view, and stored.
      await page.getByRole("link", { name: "Draw", exact: true }).click();
      await page.locator(".stage").getByRole("img", {
        name: "a rocket above a cat",
      }).waitFor();
      const title = await page.getByRole("link", { name: "Download" })
        .getAttribute("download");
      match(title!, /cat/);
      await page.getByText("Earlier pictures (2)").waitFor();
      // Its file does not claim that the settings alone produce it.
      const buffer = Buffer.from(await download(page));
      const file = { name: "b.png", mimeType: "image/png", buffer };
      await page.getByLabel("Open a picture").setInputFiles(file);
      await page.getByText(
        "b.png restored its settings. Its first 8 rows were given",
      ).waitFor();
    },
  );
}

pageTest(
  "Look view: arrow keys move over the cells and are announced, Enter selects the row",
  async () => {
    await using opened = await openPage(server.url);
    const { page } = opened;
    await lookInside(page);
    const cells = page.getByRole("application").first();
    await cells.focus();
    await page.keyboard.press("Control+Home");
    for (
      const key of [
        "ArrowDown",
        "ArrowDown",
        "ArrowRight",
        "PageDown",
        "ArrowUp",
      ]
    ) {
      await page.keyboard.press(key);
    }
    match((await said(page).textContent())!, /^Row 10, column 2: code/);
    await page.keyboard.press("End");
    match((await said(page).textContent())!, /^Row 10, column 16: code/);
    await page.keyboard.press("Control+Home");
    match((await said(page).textContent())!, /^Row 1, column 1: code/);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    strictEqual(await page.getByLabel("From row").inputValue(), "2");
  },
);

pageTest(
  "Look view: errors of a branch appear at their fields",
  async () => {
    await using opened = await openPage(server.url, { allowed: /422/ });
    const { page, check } = opened;
    await lookInside(page);
    await page.getByLabel("Prompt for the rest").fill("apple ".repeat(3000));
    await page.getByRole("button", { name: "Branch", exact: true }).click();
    await page.locator(".view-look .notice.fault").waitFor();
    await check("look-refused");
  },
);

pageTest(
  "Look view: an alternative replaces a code, and the following codes are redrawn",
  async () => {
    await using opened = await openPage(server.url);
    const { page, check } = opened;
    await lookInside(page);
    const cells = page.getByRole("application").first();
    const box = (await cells.boundingBox())!;
    await cells.click({
      position: { x: box.width * 2.5 / 16, y: box.height * 4.5 / 16 },
    });
    // Codes appear as pictures, not only as numbers.
    const seen = `(() => {
      const blank = document.createElement("canvas");
      blank.width = blank.height = 24;
      return [...document.querySelectorAll("canvas.code")]
        .every((canvas) => canvas.toDataURL() !== blank.toDataURL());
    })()`;
    await until(async () => await page.evaluate(seen) === true);
    const rival = page.getByRole("button", { name: /^Continue with code \d+/ })
      .first();
    const code = Number(await rival.locator(".mono").textContent());
    const asking = page.waitForRequest("**/v1/generate");
    await rival.click();
    const { keep, seed } = (await asking).postDataJSON();
    strictEqual(seed, 6);
    const kept = keep.codes.flat();
    strictEqual(kept.indexOf(null), 4 * keep.codes[0].length + 3);
    ok(kept.slice(kept.indexOf(null)).every((code: unknown) => code === null));
    strictEqual(keep.codes[4][2], code);
    await page.getByText(/^A and B differ in [1-9]\d* of 256 codes\.$/)
      .waitFor();
    await page.getByRole("button", { name: "Surprisal" }).click();
    await check("look-rival");
  },
);

pageTest(
  "Look view: an alternative to the last code is placed without drawing",
  async () => {
    await using opened = await openPage(server.url);
    const { page } = opened;
    await lookInside(page);
    await page.getByRole("application").first().focus();
    await page.keyboard.press("Control+End");
    await page.getByRole("heading", { name: "Row 16, column 16" }).waitFor();
    await page.getByRole("button", { name: /^Continue with code/ }).first()
      .click();
    await page.getByText("A and B differ in 1 of 256 codes.").waitFor();
  },
);

pageTest(
  "Look view: a time lapse shows the drawing from empty to complete",
  async () => {
    await using opened = await openPage(server.url);
    const { page } = opened;
    await lookInside(page);
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save time-lapse" }).click();
    const file = await coming;
    match(file.suggestedFilename(), /^a-rocket-above-a-tree-6-drawn\.png$/);
    const bytes = await Deno.readFile(await file.path());
    const frames = await decodeFrames(bytes, {
      decode: "display",
      maxPixels: 1e8,
    });
    strictEqual(frames.length, 65);
    ok(frames[0]!.pixels.every((level) => level === 0x88));
    strictEqual(frames[64]!.width, 128);
    ok(frames[64]!.pixels.some((level) => level !== 0x88));
  },
);

pageTest(
  "Look view: a repeated branch takes a new seed unless the seed is locked",
  async () => {
    await using opened = await openPage(server.url);
    const { page } = opened;
    await lookInside(page);
    const form = page.locator("form.branch");
    const seed = form.getByLabel("Seed", { exact: true });
    const press = async () => {
      const asking = page.waitForRequest("**/v1/generate");
      await form.getByRole("button", { name: "Branch", exact: true }).click();
      const asked = (await asking).postDataJSON();
      await page.getByText(/^A and B differ in/).waitFor();
      return asked.seed;
    };
    const seeds = [await press(), await press()];
    notStrictEqual(seeds[0], seeds[1]);
    strictEqual(await seed.inputValue(), String(seeds[1]));
    await form.getByRole("button", { name: "Keep this seed" }).click();
    strictEqual(await press(), seeds[1]);
  },
);

pageTest(
  "Look view: an imported picture is encoded and scored with an editable prompt",
  async () => {
    await using opened = await openPage(server.url);
    const { page, check } = opened;
    const drawn = await fetch(`${server.url}/v1/generate`, {
      method: "POST",
      headers: { accept: "image/jpeg", "content-type": "application/json" },
      body: JSON.stringify({ prompt: "a cat", seed: 1 }),
    });
    await page.getByLabel("Open a picture").setInputFiles({
      name: "cat.jpg",
      mimeType: "image/jpeg",
      buffer: Buffer.from(await drawn.arrayBuffer()),
    });
    await page.getByText("cat.jpg has no settings").waitFor();
    await page.getByRole("main").getByRole("link", { name: "Look inside" })
      .click();
    await scored(page);
    const words = page.getByLabel("Score for the prompt");
    strictEqual(await words.inputValue(), "cat");
    await page.getByRole("button", { name: "Surprisal" }).click();
    await page.getByText(/^\d+\.\d bits$/).waitFor();
    strictEqual(await page.locator(".rivals li").count(), 5);
    await check("look-foreign");
    const asCat = await pixels(page);
    await words.fill("three apples");
    const asking = page.waitForRequest("**/v1/score");
    await words.press("Enter");
    strictEqual((await asking).postDataJSON().prompt, "three apples");
    while (await pixels(page) === asCat);
  },
);
