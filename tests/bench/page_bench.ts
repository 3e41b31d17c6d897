/**
 * The benchmark of the page in Chromium, against a server of the embedded
 * model:
 *
 * ```text
 * first paint   bytes and milliseconds until examples are visible
 * first row     from its event in the browser to the frame that shows it
 * replay        main-thread work per frame, of a 90 × 90 grid with a map
 * ```
 *
 * @module
 */

import { chromium, type Page } from "playwright-core";
import { startServer } from "../support/server.ts";
import { CATEGORIES, workOfFrames } from "./trace.ts";

/** Rows and columns of the large grid, and pixels per side of its picture. */
const SIDE = 90;
const PIXELS = 720;

const DRAWINGS = 5;

await using server = await startServer();
const browser = await chromium.launch({
  executablePath: Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const page = await browser.newPage();
try {
  for (const measure of [firstPaint, firstRow, replay]) {
    const line = `${await measure(page)}\n`;
    await Deno.stdout.write(new TextEncoder().encode(line));
  }
} finally {
  await browser.close();
}

async function firstPaint(page: Page): Promise<string> {
  let bytes = 0;
  page.on("response", async (response) => {
    if (!response.url().includes("/v1/")) {
      const body = await response.body().catch(() => undefined);
      bytes += body?.length ?? 0;
    }
  });
  const begun = performance.now();
  await page.goto(server.url);
  await page.getByRole("button", { name: "three apples" }).waitFor();
  const ms = performance.now() - begun;
  await page.waitForLoadState("networkidle");
  const painted = await page.evaluate(
    "performance.getEntriesByName('first-contentful-paint')[0].startTime",
  );
  return `first paint: ${Math.round(Number(painted))} ms, ready to use: ` +
    `${Math.round(ms)} ms, ${(bytes / 1000).toFixed(1)} KB`;
}

/**
 * Measures from the arrival of the first row's bytes to the end of the frame
 * that paints it. The decoder ran before they were sent; on loopback the
 * transfer takes next to nothing.
 */
async function firstRow(page: Page): Promise<string> {
  await page.evaluate(`
    globalThis.delays = [];
    const read = ReadableStreamDefaultReader.prototype.read;
    let arrived;
    ReadableStreamDefaultReader.prototype.read = async function () {
      const part = await read.call(this);
      if (arrived === undefined && typeof part.value === "string" &&
          part.value.includes("event: row")) arrived = performance.now();
      return part;
    };
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (...rest) {
      draw.apply(this, rest);
      if (arrived === undefined || arrived === null) return;
      const since = arrived;
      arrived = null;
      requestAnimationFrame(() => setTimeout(() => delays.push(performance.now() - since)));
    };
    globalThis.again = () => { arrived = undefined; };
  `);
  for (let i = 0; i < DRAWINGS; i++) {
    await page.evaluate("again()");
    await page.getByRole("button", { name: "three apples", exact: true })
      .click();
    await page.getByText(/tokens in/).waitFor({ state: "hidden" });
    await page.getByText(/tokens in/).waitFor();
  }
  const delays = await page.evaluate("delays") as number[];
  const told = delays.map((ms) => ms.toFixed(0)).join(", ");
  return `first row on screen after ${told} ms (goal: 150)`;
}

/**
 * Measures the main thread's work in every frame of a whole replay, by a trace.
 */
async function replay(page: Page): Promise<string> {
  await page.evaluate(`(async () => {
    const folder = "/page/look/";
    const { CellCanvas } = await import(folder + "cell_canvas.js");
    const { Scrubber } = await import(folder + "scrubber.js");
    const canvas = new CellCanvas();
    document.body.append(canvas.canvas);
    const picture = new OffscreenCanvas(${PIXELS}, ${PIXELS});
    const context = picture.getContext("2d");
    for (let i = 0; i < 4000; i++) {
      context.fillStyle = "hsl(" + i % 360 + " 60% 50%)";
      context.fillRect(i * 97 % ${PIXELS}, i * 31 % ${PIXELS}, 40, 40);
    }
    const size = { height: ${SIDE}, width: ${SIDE} };
    await canvas.load(await picture.convertToBlob(), size);
    canvas.setMap(Float32Array.from({ length: ${
    SIDE * SIDE
  } }, (_, i) => i % 15), 15);
    canvas.setMarked({ y: 3, x: 4 });
    const scrubber = new Scrubber((cells) => canvas.setShown(cells));
    document.body.append(scrubber.root);
    scrubber.reset(size);
    globalThis.scrubber = scrubber;
  })()`);
  await browser.startTracing(page, { categories: CATEGORIES });
  await page.evaluate(`(async () => {
    scrubber.play();
    while (scrubber.root.querySelector("button").textContent !== "Replay") {
      await new Promise((then) => setTimeout(then, 100));
    }
  })()`);
  const work = workOfFrames(new Uint8Array(await browser.stopTracing()))
    .sort((a, b) => a - b);
  const at = (share: number) =>
    work[Math.min(work.length - 1, Math.floor(work.length * share))]!
      .toFixed(1);
  return `replay of ${SIDE} × ${SIDE}: ${work.length} frames, work a frame ` +
    `${at(0.5)} ms in the middle, ${at(0.95)} at 95 %, ${
      at(1)
    } at most (goal: 8)`;
}
