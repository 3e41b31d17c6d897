/**
 * The generator of README's pictures: `deno task pictures`.
 *
 * ```text
 * models/emu3-mini/pictures.png   four pictures side by side
 * models/emu3-mini/drawing.png    one as it is drawn, row by row (animated PNG)
 * functions/page.png              the page (needs Chromium)
 * ```
 *
 * Run again when the embedded model changes. Each picture takes the first seed
 * whose drawing the model itself captions as requested; README's line with the
 * seeds is updated, too.
 *
 * @module
 */

import { chromium } from "playwright-core";
import type { RgbImage } from "../../lib/image/image.ts";
import { inPlaceCodec } from "../../lib/image/picture_codec.ts";
import { startServer } from "../support/server.ts";
import { animatedPng } from "../support/animations.ts";

/** Prompts, first seeds, and words that a caption must contain. */
const PICTURES = [
  { prompt: "a rocket above a tree", seed: 11, shows: /rocket above a tree/ },
  {
    prompt: "three apples",
    seed: 4,
    shows: /^ ?Three apples on/,
  },
  { prompt: "a cat on a blue background", seed: 14, shows: /cat on a blue/ },
  {
    prompt: "a fox left of an umbrella, yellow background",
    seed: 4,
    shows: /fox to the left .* on a yellow/,
  },
] as const;

/** Limit of seeds to try; after it, any picture is taken. */
const SEEDS = 64;

/** Magnification of pictures. */
const SCALE = 2;

/** White pixels between pictures. */
const SPACE = 8;

/** Frame rate of the animation; its last frame stays longer. */
const FRAMES_PER_SECOND = 6;
const LAST_FRAMES = 4;

/** Level of rows that are not drawn yet. */
const PAPER = 236;

const ROOT = new URL("../../", import.meta.url);

/** A picture in the server's JSON. */
interface WireImage {
  /** File in base64. */
  readonly "b64_json": string;
}

if (import.meta.main) {
  await using server = await startServer();
  const seeds: number[] = [];
  const images: RgbImage[] = [];
  for (const picture of PICTURES) {
    const { seed, image } = await describedSeed(server.url, picture);
    seeds.push(seed);
    images.push(await enlarged(image));
  }
  const sheet = await inPlaceCodec.encodePng(beside(images), {});
  await write("models/emu3-mini/pictures.png", sheet);
  const frames = await drawingFrames(server.url, seeds[0]!);
  const options = { framesPerSecond: FRAMES_PER_SECOND };
  const animation = animatedPng(frames, options);
  await write("models/emu3-mini/drawing.png", animation);
  await writeLine(seeds);
  await write("functions/page.png", await screenshot(server.url, seeds[0]!));
}

async function describedSeed(
  url: string,
  { prompt, seed: first, shows }: typeof PICTURES[number],
): Promise<{ seed: number; image: RgbImage }> {
  for (const seed of [first, ...Array(SEEDS).keys()]) {
    const image = await drawn(url, prompt, seed);
    const { text } = await ask(url, "caption", { image: image.b64_json });
    if (shows.test(String(text))) return { seed, image: await decoded(image) };
  }
  const image = await decoded(await drawn(url, prompt, first));
  return { seed: first, image };
}

async function drawn(
  url: string,
  prompt: string,
  seed: number,
): Promise<WireImage> {
  const { images } = await ask(url, "generate", { prompt, seed });
  return (images as WireImage[])[0]!;
}

async function ask(
  url: string,
  name: string,
  body: unknown,
): Promise<Record<string, unknown>> {
  const answer = await fetch(`${url}/v1/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return await answer.json();
}

/** Returns the picture after each row, and the whole one for a while. */
async function drawingFrames(url: string, seed: number): Promise<RgbImage[]> {
  const answer = await fetch(`${url}/v1/generate`, {
    method: "POST",
    headers: {
      accept: "text/event-stream",
      "content-type": "application/json",
    },
    body: JSON.stringify({ prompt: PICTURES[0].prompt, seed, preview: true }),
  });
  const events = (await answer.text()).split("\n\n");
  const previews = events.filter((event) => event.startsWith("event: row"))
    .map((event) => JSON.parse(event.split("data: ")[1]!).preview);
  const rows = await Promise.all(previews.map(decoded));
  const { height } = rows.at(-1)!;
  const frames = rows.map((image) => onPaper(image, height));
  return [...frames, ...Array(LAST_FRAMES).fill(frames.at(-1)!)];
}

function onPaper({ width, pixels }: RgbImage, height: number): RgbImage {
  const page = new Uint8ClampedArray(height * width * 3).fill(PAPER);
  page.set(pixels);
  return { height, width, pixels: page };
}

function beside(images: readonly RgbImage[]): RgbImage {
  const { height } = images[0]!;
  const width = images.reduce((sum, image) => sum + image.width + SPACE, 0) -
    SPACE;
  const pixels = new Uint8ClampedArray(height * width * 3).fill(255);
  let left = 0;
  for (const image of images) {
    for (let y = 0; y < height; y++) {
      const row = image.pixels.subarray(
        y * image.width * 3,
        (y + 1) * image.width * 3,
      );
      pixels.set(row, (y * width + left) * 3);
    }
    left += image.width + SPACE;
  }
  return { height, width, pixels };
}

async function decoded({ b64_json: base64 }: WireImage): Promise<RgbImage> {
  const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
  const options = { decode: "display", maxPixels: 1e6 } as const;
  return await inPlaceCodec.decodeImage(bytes, options);
}

async function enlarged(image: RgbImage): Promise<RgbImage> {
  const height = image.height * SCALE;
  const width = image.width * SCALE;
  return await inPlaceCodec.resize(image, { height, width });
}

/** Captures the page with a picture that was just drawn. */
async function screenshot(url: string, seed: number): Promise<Uint8Array> {
  const browser = await chromium.launch({
    executablePath: Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  const viewport = { width: 1120, height: 760 };
  const page = await browser.newPage({ viewport, colorScheme: "light" });
  await page.goto(url);
  await page.getByLabel("Prompt", { exact: true }).fill(PICTURES[0].prompt);
  await page.getByLabel("Seed", { exact: true }).fill(String(seed));
  await page.getByRole("button", { name: "Draw", exact: true }).click();
  await page.getByRole("link", { name: "Download" }).waitFor();
  const png = await page.screenshot();
  await browser.close();
  return png;
}

async function writeLine(seeds: readonly number[]): Promise<void> {
  const list = PICTURES.map(({ prompt }, i) =>
    `“${prompt}” (${i === 0 ? "seed " : ""}${seeds[i]})`
  ).join(", ");
  const readme = new URL("README.md", ROOT);
  const text = await Deno.readTextFile(readme);
  const line =
    `Drawn by \`emu3-mini\`, the small model that comes along: ${list}.`;
  const written = text.replace(
    /^Drawn by `emu3-mini`[^]*?\n\n/m,
    `${line}\n\n`,
  );
  await Deno.writeTextFile(readme, written);
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "-q", readme.pathname],
  }).output();
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(new URL(path, ROOT), bytes);
}
