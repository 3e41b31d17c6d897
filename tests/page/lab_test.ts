/** The tokenizer lab, in a browser. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { readNpy } from "../../lib/npy.ts";
import { startServer } from "../support/server.ts";
import { animation, type BroughtFile, drawnFile } from "./files.ts";
import { REFUSED, type Visit, visit } from "./visit.ts";
import { pageTest, WIDTHS } from "./browser.ts";

/** Indices of the inputs of pictures and of clips. */
const PICTURE = 0;
const CLIP = 1;

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));
const lab = `${server.url}/#lab`;
const rocket = await drawnFile(server.url, "a rocket above a tree", 6);
const clip = await animation(server.url);

for (const width of WIDTHS) {
  pageTest(
    `Lab view at ${width}: codes are encoded, compared and painted`,
    async () => {
      await using seen = await visit(lab, { width });
      const { page } = seen;
      await opened(page, rocket);
      await page.getByText(/128 × 128 pixels: PSNR \d+\.\d dB/).waitFor();
      await page.getByText("Paint", { exact: true }).click();
      await page.getByLabel("Code of the brush").fill("77");
      const canvas = page.locator("canvas.editor");
      await canvas.scrollIntoViewIfNeeded();
      const box = (await canvas.boundingBox())!;
      const cell = box.width / 16;
      await page.mouse.move(box.x + 1.5 * cell, box.y + 1.5 * cell);
      await page.mouse.down();
      await page.mouse.move(box.x + 2.5 * cell, box.y + 1.5 * cell);
      await page.mouse.up();
      await page.getByText("2 codes changed").waitFor();
      await decodedWith(seen, (rows) => {
        deepStrictEqual(rows[1]?.slice(1, 3), [77, 77]);
      });
      await page.getByRole("button", { name: "Undo" }).click();
      await page.getByText("codes changed").waitFor({ state: "detached" });
      await seen.check("lab-edited");
    },
  );
}

pageTest("Lab view: every control is usable by keyboard", async () => {
  await using seen = await visit(lab);
  const { page } = seen;
  await opened(page, rocket);
  const before = await codesOf(page);
  await page.locator("canvas.editor").focus();
  for (
    const key of [
      ...["ArrowDown", "ArrowRight", "Shift+ArrowRight", "c"],
      ...["PageDown", "Home", "v"],
    ]
  ) await page.keyboard.press(key);
  await decodedWith(seen, (rows) => {
    deepStrictEqual(rows[15]?.slice(0, 2), before[1]?.slice(1, 3));
  });
  await page.keyboard.press("Control+z");
  await decodedWith(seen, (rows) => deepStrictEqual(rows, before));
  // Tab leaves the grid.
  await page.keyboard.press("Tab");
  const focused = "document.activeElement.className";
  ok(await page.evaluate(focused) !== "editor");
});

pageTest("Lab view: codes export to NumPy, and edit as numbers", async () => {
  await using seen = await visit(lab, { allowed: REFUSED });
  const { page } = seen;
  await opened(page, rocket);
  const rows = await codesOf(page);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save codes as .npy" }).first()
    .click();
  const file = await (await download).path();
  const { shape, values } = readNpy(await Deno.readFile(file));
  deepStrictEqual([...shape], [16, 16]);
  deepStrictEqual([...values], rows.flat());
  const codes = page.getByLabel("Codes, row by row");
  await page.getByText("Codes as numbers").click();
  await codes.fill("1 2\n3");
  await page.getByRole("button", { name: "Decode these codes" }).click();
  await page.getByText("Cannot read codes: row 2 has 1").waitFor();
  // The server validates the size of the codebook.
  await codes.fill("1 2\n3 60000");
  await page.getByRole("button", { name: "Decode these codes" }).click();
  await page.getByText(/expected a code from 0 to 2047/).first().waitFor();
  await seen.check("lab-numbers");
});

pageTest("Lab view: a clip is encoded, and decoded into frames", async () => {
  await using seen = await visit(lab, { width: 360, allowed: REFUSED });
  const { page } = seen;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await bring(page, CLIP, clip);
  await page.getByText(/4 frames in 1 × 16 × 16 codes/).waitFor();
  const frame = page.locator(".player img");
  match((await frame.getAttribute("alt"))!, /Frame 1 of 4/);
  // Nothing moves unless it is started.
  await page.getByRole("slider", { name: "Frame" }).press("ArrowRight");
  match((await frame.getAttribute("alt"))!, /Frame 2 of 4/);
  await page.getByRole("button", { name: "Play" }).click();
  await page.getByRole("button", { name: "Pause" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as .apng" }).click();
  strictEqual((await download).suggestedFilename(), "clip.apng");
  await seen.check("lab-clip");
  await bring(page, CLIP, rocket);
  await page.getByText("This is a still picture").waitFor();
});

pageTest("Lab view: text encodes into tokens, and decodes back", async () => {
  await using seen = await visit(lab);
  const { page } = seen;
  await page.getByLabel("Text", { exact: true }).fill("a cat 🚀🌳");
  await page.getByText("8 characters").waitFor();
  const pieces = await page.locator(".pieces span").allTextContents();
  strictEqual(pieces.join("").replaceAll("·", " "), "a cat 🚀🌳");
  ok(pieces.includes("🚀") && pieces.includes("🌳"));
  await page.getByLabel("Tokens", { exact: true }).fill("64 926");
  await page.getByText(/, 2 tokens$/).waitFor();
  strictEqual(await page.locator(".pieces li").count(), 2);
  await page.getByLabel("Tokens", { exact: true }).fill("64 x");
  await page.getByText("x is not a whole number").waitFor();
  await seen.check("lab-text");
});

pageTest("Lab view: an edited picture opens in Ask", async () => {
  await using seen = await visit(lab);
  const { page } = seen;
  await opened(page, rocket);
  await page.getByRole("button", { name: "Ask about it" }).click();
  await page.locator(".asked").getByText("from its codes").waitFor();
  await page.locator(".view-ask .asked img").waitFor();
});
async function bring(
  page: Page,
  place: number,
  file: BroughtFile,
): Promise<void> {
  const input = page.locator(".view-lab .drop").nth(place)
    .locator("input[type=file]").first();
  await input.setInputFiles({ ...file, buffer: Buffer.from(file.buffer) });
}

/** Opens a picture, and waits until its codes are loaded. */
async function opened(page: Page, file: BroughtFile): Promise<void> {
  await bring(page, PICTURE, file);
  await page.locator("canvas.editor").waitFor();
}

/** Returns the codes in the editor. */
async function codesOf(page: Page): Promise<number[][]> {
  const text = await page.locator("textarea[wrap=off]").inputValue();
  return text.split("\n").map((row) => row.trim().split(/\s+/).map(Number));
}

/** Waits until the last decoded codes are the expected ones. */
async function decodedWith(
  { page, asked }: Visit,
  check: (rows: number[][]) => void,
): Promise<void> {
  const last = () => {
    const bodies = asked.filter(({ path }) => path === "/v1/detokenize")
      .map(({ body }) => JSON.parse(body).grid?.codes as number[][])
      .filter((rows) => rows?.length === 16);
    return bodies.at(-1)!;
  };
  for (let i = 0; i < 100; i++) {
    try {
      return check(last());
    } catch {
      await page.waitForTimeout(50);
    }
  }
  check(last());
}
