/** The Draw view, by pointer and by keyboard, on a desktop and on a phone. */

import { Buffer } from "node:buffer";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { readPng } from "../../functions/playground/logic/png_text.js";
import { settingsFromTexts } from "../../functions/playground/logic/file_settings.js";
import { startServer } from "../support/server.ts";
import { openPage, pageTest, WIDTHS } from "./browser.ts";
import { download } from "./visit.ts";

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));

const PROMPT = "a rocket above a tree";

/** Draws with a seed, and waits until the picture is complete. */
async function draw(page: Page, seed: number, prompt = PROMPT): Promise<void> {
  await page.getByLabel("Prompt", { exact: true }).fill(prompt);
  await page.getByLabel("Seed", { exact: true }).fill(String(seed));
  await page.getByRole("button", { name: "Draw", exact: true }).click();
  await done(page, seed);
}

async function done(page: Page, seed: number): Promise<void> {
  await page.getByText(
    new RegExp(`seed ${seed} ·.* tokens in .* · [\\d.]+ s in total$`),
  ).waitFor();
}

/** Returns the pixels of a canvas, as text. */
async function pixels(page: Page): Promise<string> {
  return await page.locator("canvas.picture").first().evaluate((canvas) =>
    (canvas as unknown as { toDataURL(): string }).toDataURL()
  );
}

for (const width of WIDTHS) {
  pageTest(
    `Draw view at ${width}: an example is drawn row by row, into a file with its settings`,
    async () => {
      await using opened = await openPage(server.url, { width });
      const { page, check } = opened;
      await page.getByText("Ready: emu3-mini").waitFor();
      await page.getByRole("button", { name: "three apples" }).waitFor();
      await check("draw-empty");
      // Checked in each frame: the picture is complete in a third of a second.
      const row = page.evaluate(`new Promise((then) => {
        const told = (part) =>
          /^Row \\d+ of 16 · [\\d.]+ s passed, /.test(part.textContent) && part.checkVisibility();
        const look = () =>
          [...document.querySelectorAll(".stage *")].some(told)
            ? then()
            : requestAnimationFrame(look);
        look();
      })`);
      await page.getByRole("button", { name: "three apples" }).click();
      await row;
      await page.getByRole("link", { name: "Download" }).waitFor();
      const file = await download(page);
      const png = await readPng(file);
      strictEqual(png?.texts["Description"], "three apples");
      const seed = await page.getByLabel("Seed", { exact: true }).inputValue();
      const { settings } = settingsFromTexts(png.texts, png)!;
      strictEqual(String(settings.seed), seed);
      await page.getByText("More settings").click();
      await page.getByText("Share, or use the API").click();
      await check("draw-done");
    },
  );

  pageTest(
    `Draw view at ${width}: one of several pictures is chosen`,
    async () => {
      await using opened = await openPage(server.url, { width });
      const { page, check } = opened;
      await page.getByText("More settings").click();
      await page.getByLabel("Pictures", { exact: true }).fill("2");
      await draw(page, 6);
      const second = page.getByRole("button", { name: "Picture 2 of 2" });
      await second.click();
      strictEqual(await second.getAttribute("aria-pressed"), "true");
      const png = await readPng(await download(page));
      strictEqual(settingsFromTexts(png!.texts, png!)?.imageIndex, 1);
      await check("draw-several");
    },
  );

  pageTest(
    `Draw view at ${width}: the history survives a reload, and can be cleared`,
    async () => {
      await using opened = await openPage(server.url, { width });
      const { page } = opened;
      await draw(page, 11, "three apples");
      await page.getByText("Earlier pictures (1)").waitFor();
      await draw(page, 1, "a cat on a blue background");
      await page.getByText("Earlier pictures (2)").waitFor();
      await page.goto(server.url);
      await page.reload();
      const older = page.getByRole("button", { name: "three apples, seed 11" });
      await older.first().click();
      await page.getByText("three apples · emu3-mini · seed 11").waitFor();
      strictEqual(
        await page.getByLabel("Prompt", { exact: true }).inputValue(),
        "three apples",
      );
      await page.getByRole("button", { name: "Delete three apples, seed 11" })
        .press("Enter");
      await page.getByText("Earlier pictures (1)").waitFor();
      page.once("dialog", (dialog) => void dialog.accept());
      await page.getByRole("button", { name: "Delete all" }).click();
      await page.getByText("Earlier pictures").waitFor({ state: "hidden" });
    },
  );

  pageTest(
    `Draw view at ${width}: an imported file restores its settings, which draw the same picture`,
    async () => {
      await using opened = await openPage(server.url, { width });
      const { page } = opened;
      await draw(page, 6);
      const file = await download(page);
      const before = await pixels(page);
      await page.goto(`${server.url}/#look`);
      await page.goto(server.url);
      await page.reload();
      await page.getByLabel("Open a picture").setInputFiles({
        name: "rocket.png",
        mimeType: "image/png",
        buffer: Buffer.from(file),
      });
      await page.getByText("rocket.png restored its settings.").waitFor();
      strictEqual(
        await page.getByLabel("Prompt", { exact: true }).inputValue(),
        PROMPT,
      );
      strictEqual(
        await page.getByLabel("Ratio", { exact: true }).inputValue(),
        "128x128",
      );
      await page.getByRole("button", { name: "Draw", exact: true }).click();
      await done(page, 6);
      strictEqual(await pixels(page), before);
    },
  );
}

pageTest(
  "Draw view: a link restores the settings and the picture itself",
  async () => {
    await using opened = await openPage(server.url);
    const { page } = opened;
    await draw(page, 6);
    const before = await pixels(page);
    await page.getByText("Share, or use the API").click();
    await page.getByLabel("with codes").check();
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByText("Link copied.").waitFor();
    const link = await page.evaluate(
      "navigator.clipboard.readText()",
    ) as string;
    match(link, /#draw\?prompt=a\+rocket.*&codes=16x16\./);
    await using other = await openPage(link);
    await other.page.getByRole("link", { name: "Download" }).waitFor();
    strictEqual(await pixels(other.page), before);
    strictEqual(
      await other.page.getByLabel("Seed", { exact: true }).inputValue(),
      "6",
    );
  },
);

pageTest(
  "Draw view: a dropped file opens, with a notice if it has no settings",
  async () => {
    await using opened = await openPage(server.url);
    const { page } = opened;
    await page.getByText("Ready: emu3-mini").waitFor();
    await page.getByText("No picture yet. Choose").waitFor();
    await page.evaluate(`(async () => {
    const canvas = new OffscreenCanvas(16, 16);
    canvas.getContext("2d").fillRect(0, 0, 8, 8);
    const data = new DataTransfer();
    const bytes = await canvas.convertToBlob();
    data.items.add(new File([bytes], "plain.png", { type: "image/png" }));
    document.querySelector(".stage").dispatchEvent(
      new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }),
    );
  })()`);
    await page.getByText("plain.png has no settings").waitFor();
  },
);

pageTest("Draw view: all controls and stopping work by keyboard", async () => {
  await using opened = await openPage(server.url);
  const { page } = opened;
  await page.getByText("Ready: emu3-mini").waitFor();
  const focusOn = async (name: RegExp) => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      const text = await page.evaluate(
        "(({ ariaLabel, labels, textContent }) => ariaLabel || labels?.[0]?.textContent || textContent)(document.activeElement)",
      );
      if (name.test(String(text))) return;
    }
    throw new Error(`no way to ${name} by Tab`);
  };
  await focusOn(/^Skip to the content$/);
  await page.keyboard.press("Enter");
  await focusOn(/^Prompt$/);
  await page.keyboard.type("a cat");
  await focusOn(/^Seed$/);
  await page.keyboard.type("5");
  await focusOn(/^Draw$/);
  await page.keyboard.press("Enter");
  await done(page, 5);
  // A request that is sent but not answered leaves time to stop.
  await page.route("**/v1/generate", () => new Promise(() => {}));
  await page.keyboard.press("Enter");
  await focusOn(/^Stop$/);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
  strictEqual(await page.locator(".notice.fault:visible").count(), 0);
});

pageTest("Draw view: errors of the server appear at their fields", async () => {
  await using opened = await openPage(server.url, { allowed: /422/ });
  const { page, check } = opened;
  await page.getByLabel("Prompt", { exact: true }).fill("a cat");
  await page.getByLabel("Ratio", { exact: true }).selectOption("Custom…");
  const ratio = page.getByLabel("Aspect ratio, width to height");
  await ratio.fill("1:100000");
  await page.getByRole("button", { name: "Draw", exact: true }).click();
  await page.getByText(/codes are not an image; use a larger area/).waitFor();
  strictEqual(
    await page.getByLabel("Ratio", { exact: true }).getAttribute(
      "aria-invalid",
    ),
    "true",
  );
  await check("draw-refused");
  await ratio.fill("2:1");
  await page.getByRole("button", { name: "Draw", exact: true }).click();
  await page.getByRole("link", { name: "Download" }).waitFor();
  const png = await readPng(await download(page));
  ok(png!.width > png!.height);
});

pageTest(
  "Draw view: the first paint of the page loads less than 100 KB of files",
  async () => {
    await using opened = await openPage(`${server.url}/problems`);
    const sizes = new Map<string, number>();
    opened.page.on("response", async (response) => {
      const { pathname } = new URL(response.url());
      if (pathname.startsWith("/v1/")) return;
      const body = await response.body().catch(() => undefined);
      sizes.set(pathname, body?.length ?? 0);
    });
    await opened.page.goto(server.url);
    await opened.page.getByRole("button", { name: "three apples" }).waitFor();
    await opened.page.waitForLoadState("networkidle");
    const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    ok(bytes < 100_000, `${bytes} bytes`);
    deepStrictEqual(
      [...sizes.keys()].filter((path) => path.includes("/look/")),
      [],
    );
  },
);
