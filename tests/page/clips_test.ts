/** Clips in the Draw view and in Look inside, over a scripted server. */

import { Buffer } from "node:buffer";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { framesOfApng } from "../../functions/playground/logic/apng.js";
import { pageTest, WIDTHS } from "./browser.ts";
import { animation, FRAMES, startClipServer } from "./clip_server.ts";
import { download, REFUSED, visit } from "./visit.ts";

const PROMPT = "a red square moves right";

/** Script that records a video of a second. */
const RECORDING = `(async () => {
  const canvas = document.createElement("canvas");
  canvas.height = canvas.width = 96;
  const context = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(20));
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  for (let i = 0; i < 20; i++) {
    context.fillStyle = "blue";
    context.fillRect(0, 0, 96, 96);
    context.fillStyle = "red";
    context.fillRect(4 * i, 32, 16, 16);
    await new Promise((then) => setTimeout(then, 50));
  }
  const stopped = new Promise((then) => recorder.onstop = then);
  recorder.stop();
  await stopped;
  return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
})()`;

async function choose(page: Page): Promise<void> {
  await page.getByRole("radio", { name: "Clip" }).check();
}

async function begin(page: Page, seed: number): Promise<void> {
  await page.getByLabel("Prompt", { exact: true }).fill(PROMPT);
  await page.getByLabel("Seed", { exact: true }).fill(String(seed));
  await page.getByRole("button", { name: /^Draw( again)?$/ }).click();
}

async function done(page: Page, seed: number): Promise<void> {
  await page.getByText(new RegExp(`seed ${seed} · \\d+ frames ·.* in total$`))
    .waitFor();
}

/** Returns the place of the frame that is shown. */
async function frame(page: Page): Promise<string> {
  const slider = page.locator(".view:not([hidden])").getByRole("slider", {
    name: "Frame",
  });
  return (await slider.getAttribute("aria-valuetext"))!;
}

/** Returns the pixels on the stage, as text. */
async function pixels(page: Page): Promise<string> {
  return await page.locator("canvas.picture").first().evaluate((canvas) =>
    (canvas as unknown as { toDataURL(): string }).toDataURL()
  );
}

for (const width of WIDTHS) {
  pageTest(
    `Clips at ${width}: a clip is shown while it is drawn, and then frame by frame`,
    async () => {
      await using server = startClipServer();
      const half = Promise.withResolvers<void>();
      server.half = half.promise;
      await using seen = await visit(server.url, { width });
      const { page } = seen;
      await page.emulateMedia({ reducedMotion: "reduce" });
      await choose(page);
      await page.getByRole("button", { name: /^a rocket flies up/ }).waitFor();
      await begin(page, 6);
      await page.getByText(/^Row 36 of 72 · /).waitFor();
      // Nothing moves by itself: the frame in progress is in view.
      strictEqual(await frame(page), "Frame 3 of 3");
      await page.getByRole("button", { name: "Play" }).waitFor();
      await seen.check("clips-drawing");
      half.resolve();
      await done(page, 6);
      deepStrictEqual(server.asked[0]!.frames, FRAMES);
      strictEqual(server.asked[0]!.model, "emu3-mini-clips");
      const slider = page.getByRole("slider", { name: "Frame" });
      await slider.fill("1");
      const first = await pixels(page);
      await slider.press("ArrowRight");
      strictEqual(await frame(page), "Frame 2 of 6");
      const second = await pixels(page);
      ok(first !== second);
      await page.getByLabel("Onion skin").check();
      ok(![first, second].includes(await pixels(page)));
      strictEqual(framesOfApng(await download(page)).length, FRAMES);
      await page.getByText("6 frames", { exact: true }).waitFor();
      await page.getByText("Save as").click();
      await page.getByRole("button", { name: "MP4" }).waitFor();
      await seen.check("clips-done");
    },
  );
}

pageTest("Clips: a clip plays in a loop until it is paused", async () => {
  await using server = startClipServer();
  await using seen = await visit(server.url);
  const { page } = seen;
  await choose(page);
  await begin(page, 2);
  await done(page, 2);
  for (const place of ["Frame 2 of 6", "Frame 1 of 6"]) {
    await page.locator(`[aria-valuetext="${place}"]`).waitFor();
  }
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Play" }).waitFor();
});

pageTest("Clips: a clip is extended from any of its frames", async () => {
  await using server = startClipServer();
  await using seen = await visit(server.url);
  const { page } = seen;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await choose(page);
  await begin(page, 6);
  await done(page, 6);
  await page.getByRole("slider", { name: "Frame" }).fill("4");
  await page.getByRole("button", { name: "Extend from this frame" }).click();
  await page.getByText(/^Continues 4 frames of “a red square/).waitFor();
  strictEqual(
    await page.getByLabel("Frames", { exact: true }).inputValue(),
    "10",
  );
  await seen.check("clips-extend");
  await begin(page, 7);
  await done(page, 7);
  const [, extended] = server.asked;
  strictEqual(extended!.frames, 10);
  strictEqual(extended!.clip!.codes.length, 4);
  strictEqual(extended!.ratio, undefined);
  strictEqual(await frame(page), "Frame 10 of 10");
  // The settings alone draw another clip.
  strictEqual(await page.getByText("Share, or use the API").isVisible(), false);
  await page.getByRole("button", { name: "Begin anew" }).click();
  await page.getByText(/^Continues/).waitFor({ state: "detached" });
});

pageTest(
  "Clips: one of several is chosen, and extended from its own frame",
  async () => {
    await using server = startClipServer();
    await using seen = await visit(server.url, { width: 360 });
    const { page } = seen;
    await page.emulateMedia({ reducedMotion: "reduce" });
    await choose(page);
    await page.getByText("More settings").click();
    await page.getByLabel("Pictures", { exact: true }).fill("2");
    await begin(page, 6);
    await done(page, 6);
    await page.getByRole("slider", { name: "Frame" }).nth(1).fill("2");
    await page.getByRole("button", { name: "Picture 2 of 2" }).click();
    await page.getByRole("button", { name: "Extend from this frame" }).click();
    await page.getByText(/^Continues 2 frames/).waitFor();
    await seen.check("clips-several");
  },
);

pageTest("Clips: a dropped animation and a picture are continued", async () => {
  await using server = startClipServer();
  await using seen = await visit(server.url);
  const { page } = seen;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.getByRole("radio", { name: "Clip" }).waitFor();
  const open = async (name: string, file: Uint8Array, mimeType: string) =>
    await page.getByLabel("Open a picture").setInputFiles({
      name,
      mimeType,
      buffer: Buffer.from(file),
    });
  await open("squares.gif", await animation(3), "image/gif");
  await page.getByText("squares.gif is open as a clip of 3 frames").waitFor();
  strictEqual(await frame(page), "Frame 1 of 3");
  await page.getByRole("slider", { name: "Frame" }).fill("3");
  await page.getByRole("button", { name: "Extend from this frame" }).click();
  await page.getByText(/^Continues 3 frames of “squares.gif”/).waitFor();
  await begin(page, 1);
  await done(page, 1);
  strictEqual(server.asked[0]!.clip!.codes.length, 3);
  const still = await page.locator("canvas.picture").first().evaluate(
    async (canvas) => {
      const blob = await new Promise<Blob>((then) =>
        (canvas as unknown as { toBlob(then: (blob: Blob) => void): void })
          .toBlob(then)
      );
      return [...new Uint8Array(await blob.arrayBuffer())];
    },
  );
  await open("square.png", Uint8Array.from(still), "image/png");
  await page.getByText("square.png has no settings").waitFor();
  await page.getByRole("button", { name: "Extend to a clip" }).click();
  await page.getByText(/^Continues 1 frame of “square.png”/).waitFor();
  await begin(page, 3);
  await done(page, 3);
  strictEqual(server.asked[1]!.clip!.codes.length, 1);
});

pageTest("Clips: a clip that was saved restores its settings", async () => {
  await using server = startClipServer();
  await using seen = await visit(server.url);
  const { page } = seen;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await choose(page);
  await page.getByLabel("Frames", { exact: true }).fill("4");
  await begin(page, 8);
  await done(page, 8);
  const file = await download(page);
  await page.getByRole("radio", { name: "Picture" }).check();
  await page.getByLabel("Open a picture").setInputFiles({
    name: "clip.apng",
    mimeType: "image/apng",
    buffer: Buffer.from(file),
  });
  await page.getByText(/of 4 frames, and restored its settings/).waitFor();
  strictEqual(
    await page.getByLabel("Frames", { exact: true }).inputValue(),
    "4",
  );
  deepStrictEqual(await download(page), file);
});

pageTest("Clips: a video is read by the browser, and continued", async () => {
  await using server = startClipServer();
  await using seen = await visit(server.url);
  const { page } = seen;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.getByRole("radio", { name: "Clip" }).waitFor();
  const video = await page.evaluate(RECORDING) as number[];
  await page.getByLabel("Open a picture").setInputFiles({
    name: "square.webm",
    mimeType: "video/webm",
    buffer: Buffer.from(video),
  });
  await page.getByText(/square.webm is open as a clip of \d+ frames/).waitFor();
  await page.getByRole("button", { name: "Extend from this frame" }).click();
  await page.getByText(/^Continues 1 frame of “square.webm”/).waitFor();
});

pageTest(
  "Clips: an interrupted clip goes on from its whole frames, also after a reload",
  async () => {
    await using server = startClipServer();
    server.breakAfter = 2;
    server.previews = false;
    const half = Promise.withResolvers<void>();
    server.half = half.promise;
    await using seen = await visit(server.url, { allowed: REFUSED });
    const { page } = seen;
    await choose(page);
    await begin(page, 6);
    await page.getByText(/^Row 24 of 48 · /).waitFor();
    strictEqual(server.asked.length, 2);
    strictEqual(server.asked[1]!.clip!.codes.length, 2);
    await page.reload();
    await page.waitForFunction("true");
    half.resolve();
    await done(page, 6);
    const last = server.asked.at(-1)!;
    strictEqual(last.seed, 6);
    strictEqual(last.frames, FRAMES);
    ok(last.clip!.codes.length >= 2);
  },
);

pageTest(
  "Clips: a stopped clip is one of its whole frames, and continues",
  async () => {
    await using server = startClipServer();
    const half = Promise.withResolvers<void>();
    server.half = half.promise;
    await using seen = await visit(server.url);
    const { page } = seen;
    await page.emulateMedia({ reducedMotion: "reduce" });
    await choose(page);
    await begin(page, 6);
    await page.getByText(/^Row 36 of 72 · /).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(`${PROMPT} (3 of 6 frames)`).waitFor();
    strictEqual(await frame(page), "Frame 1 of 3");
    half.resolve();
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await done(page, 6);
    strictEqual(server.asked[1]!.clip!.codes.length, 3);
    strictEqual(await frame(page), "Frame 6 of 6");
    // All of it was drawn by its settings.
    await page.getByText("Share, or use the API").waitFor();
  },
);

pageTest(
  "Clips: a link restores the settings and the clip itself",
  async () => {
    await using server = startClipServer();
    await using seen = await visit(server.url);
    const { page } = seen;
    await page.emulateMedia({ reducedMotion: "reduce" });
    await choose(page);
    await page.getByLabel("Frames", { exact: true }).fill("3");
    await page.getByLabel("Frames per second").fill("5");
    await begin(page, 6);
    await done(page, 6);
    const before = await pixels(page);
    await page.getByText("Share, or use the API").click();
    match((await page.getByLabel("Program").textContent())!, /-o clip.apng/);
    await page.getByLabel("with codes").check();
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByText("Link copied.").waitFor();
    const link = await page.evaluate(
      "navigator.clipboard.readText()",
    ) as string;
    match(link, /&frames=3&fps=5&.*codes=3x12x12\./);
    await using other = await visit(link);
    await other.page.emulateMedia({ reducedMotion: "reduce" });
    await other.page.getByRole("link", { name: "Download" }).waitFor();
    await other.page.getByRole("slider", { name: "Frame" }).fill("3");
    strictEqual(await pixels(other.page), before);
    strictEqual(
      await other.page.getByLabel("Frames", { exact: true }).inputValue(),
      "3",
    );
    strictEqual(server.asked.length, 1);
  },
);

for (const width of WIDTHS) {
  pageTest(
    `Clips at ${width}: Look inside shows each frame with its probabilities`,
    async () => {
      await using server = startClipServer();
      await using seen = await visit(server.url, { width });
      const { page } = seen;
      await page.emulateMedia({ reducedMotion: "reduce" });
      await choose(page);
      await begin(page, 6);
      await done(page, 6);
      await page.getByRole("main").getByRole("link", { name: "Look inside" })
        .click();
      await page.locator("button[value=entropy]:enabled").click();
      strictEqual(await frame(page), "Frame 1 of 6");
      await page.getByText(/^0\.3 bits$/).waitFor();
      await page.locator(".view-look").getByRole("slider", { name: "Frame" })
        .fill("5");
      await page.getByText(/^1\.4 bits$/).waitFor();
      await page.getByText(`A: ${PROMPT}, frame 5 · seed 6`).waitFor();
      strictEqual(await page.locator("form.branch").isVisible(), false);
      await seen.check("clips-look");
    },
  );
}

pageTest(
  "Clips: Look inside scores the frames of a clip from a file",
  async () => {
    await using server = startClipServer();
    await using seen = await visit(server.url);
    const { page } = seen;
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.getByRole("radio", { name: "Clip" }).waitFor();
    await page.getByLabel("Open a picture").setInputFiles({
      name: "squares.gif",
      mimeType: "image/gif",
      buffer: Buffer.from(await animation(3)),
    });
    await page.getByText("squares.gif is open as a clip of 3 frames").waitFor();
    await page.getByRole("main").getByRole("link", { name: "Look inside" })
      .click();
    await page.locator("button[value=entropy]:enabled").click();
    await page.locator(".view-look").getByRole("slider", { name: "Frame" })
      .fill("3");
    await page.getByText(/^0\.9 bits$/).waitFor();
  },
);

pageTest("Clips: the server's reason is shown at the field", async () => {
  await using server = startClipServer();
  server.problem = {
    status: 422,
    detail: "/frames is invalid",
    errors: [{ pointer: "/frames", detail: "expected at most 16 frames" }],
  };
  await using seen = await visit(server.url, { allowed: REFUSED });
  const { page } = seen;
  await choose(page);
  await begin(page, 6);
  await page.getByText("expected at most 16 frames").waitFor();
  const frames = page.getByLabel("Frames", { exact: true });
  strictEqual(await frames.getAttribute("aria-invalid"), "true");
});
