/** The Ask view, in a browser. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { startServer } from "../support/server.ts";
import { type BroughtFile, drawnFile } from "./files.ts";
import { REFUSED, visit } from "./visit.ts";
import { pageTest, WIDTHS } from "./browser.ts";

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));
const ask = `${server.url}/#ask`;
const rocket = await drawnFile(server.url, "a rocket above a tree", 6);

for (const width of WIDTHS) {
  pageTest(`Ask view at ${width}: answers questions about a file`, async () => {
    await using seen = await visit(ask, { width });
    const { page } = seen;
    await bring(page, rocket);
    await page.getByText("16 × 16 codes").waitFor();
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await answered(page, 1);
    await page.getByRole("button", { name: "How many objects are there?" })
      .click();
    await answered(page, 2);
    const answers = await page.locator(".answer").allTextContents();
    ok(answers.every((text) => /\w/.test(text)), answers.join());
    await seen.check("ask-answered");
    // Codes are computed once for all questions.
    const paths = seen.asked.map(({ path }) => path);
    strictEqual(paths.filter((path) => path === "/v1/tokenize").length, 1);
    await page.getByText("Clear answers").click();
    await page.getByText("No questions yet.").waitFor();
  });
}

pageTest("Ask view: every control is usable by keyboard", async () => {
  await using seen = await visit(ask);
  const { page } = seen;
  const choose = page.getByRole("button", { name: "Choose files" });
  await choose.waitFor();
  page.on("filechooser", (chooser) => {
    void chooser.setFiles([asPlaywright(rocket)]);
  });
  await tabTo(page, "Choose files");
  await page.keyboard.press("Enter");
  await page.getByText("16 × 16 codes").waitFor();
  await choose.focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("What is at the top?");
  await page.keyboard.press("Enter");
  await answered(page, 1);
  strictEqual(
    await page.locator(".question").textContent(),
    "What is at the top?",
  );
});

for (const most of [1, 4]) {
  pageTest(
    `Ask view with a model of ${most} pictures: one is dropped and one pasted`,
    async () => {
      await using seen = await visit(ask);
      const { page } = seen;
      await page.route("**/v1/models", async (route) => {
        const answer = await route.fetch();
        const listing = await answer.json();
        for (const model of listing.data) model["max_images"] = most;
        await route.fulfill({ response: answer, json: listing });
      });
      await page.reload();
      await bringTwo(page);
      // Immediately: the question is about the files that were added, encoded
      // or not.
      await page.getByRole("button", { name: "Ask", exact: true }).click();
      await answered(page, 1);
      const { body } = seen.asked.findLast(({ path }) =>
        path === "/v1/caption"
      )!;
      const count = Math.min(most, 2);
      strictEqual(JSON.parse(body).grids.length, count);
      await page.getByRole("button", { name: "Remove paste.png" }).click();
      strictEqual(await page.locator(".asked li").count(), count - 1);
    },
  );
}

pageTest(
  "Ask view with a model of one picture: uses the first of several dropped files",
  async () => {
    await using seen = await visit(ask);
    const { page } = seen;
    await page.locator(".view-ask input[type=file]").first().setInputFiles([
      asPlaywright({ ...rocket, name: "first.png" }),
      asPlaywright({ ...rocket, name: "second.png" }),
    ]);
    await page.getByText(/one picture per question: only the first was added/)
      .waitFor();
    await page.locator(".asked").getByText("first.png").waitFor();
    strictEqual(await page.locator(".asked li").count(), 1);
  },
);

/** Drops a picture and pastes another. */
async function bringTwo(page: Page): Promise<void> {
  await page.locator(".view-ask .drop").waitFor();
  const base64 = Buffer.from(rocket.buffer).toString("base64");
  for (const kind of ["drop", "paste"]) {
    await page.evaluate(
      `{
            const bytes = Uint8Array.from(atob("${base64}"), (c) => c.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "${kind}.png", { type: "image/png" }));
            const event = "${kind}" === "drop"
              ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
              : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
            document.querySelector(".view-ask .drop").dispatchEvent(event);
          }`,
    );
  }
}

pageTest(
  "Ask view: a question about a drawn picture sends its codes",
  async () => {
    await using seen = await visit(`${server.url}/#draw`);
    const { page } = seen;
    await page.getByRole("textbox").first().fill("three apples");
    await page.getByRole("button", { name: "Draw", exact: true }).click();
    // A drawing that finishes while Ask is open is offered there.
    await page.getByRole("link", { name: "Ask" }).click();
    await page.locator(".asked img").waitFor();
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await answered(page, 1);
    const paths = seen.asked.map(({ path }) => path);
    ok(!paths.includes("/v1/tokenize"), "no pixels on the way");
    const { body } = seen.asked.findLast(({ path }) => path === "/v1/caption")!;
    deepStrictEqual(Object.keys(JSON.parse(body)).sort(), [
      "grids",
      "max_tokens",
      "question",
      "temperature",
    ]);
  },
);

pageTest("Ask view: a new drawing replaces the selected picture", async () => {
  await using seen = await visit(ask);
  const { page } = seen;
  await bring(page, rocket);
  await page.getByText("16 × 16 codes").waitFor();
  await page.getByRole("link", { name: "Draw", exact: true }).click();
  await page.getByLabel("Prompt", { exact: true }).fill("three apples");
  await page.getByRole("button", { name: "Draw", exact: true }).click();
  await page.getByRole("link", { name: "Ask about it" }).click();
  await page.locator(".asked").getByText("three apples").waitFor();
  strictEqual(await page.locator(".asked li").count(), 1);
});

pageTest("Ask view: a file that is no picture shows an error", async () => {
  await using seen = await visit(ask, { allowed: REFUSED });
  const { page } = seen;
  const buffer = new TextEncoder().encode("no picture");
  await bring(page, { name: "a.txt", mimeType: "text/plain", buffer });
  await page.getByText(/Cannot read image: .*send a PNG/).waitFor();
  await seen.check("ask-refused");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  const missing = page.getByText("No picture yet: choose or draw one.");
  await missing.waitFor();
  // The next file is accepted, and the error is cleared.
  await bring(page, rocket);
  await page.getByText("16 × 16 codes").waitFor();
  await missing.waitFor({ state: "hidden" });
});

pageTest("Ask view: an answer can be stopped and requested again", async () => {
  await using seen = await visit(ask);
  const { page } = seen;
  await bring(page, rocket);
  await page.getByText("16 × 16 codes").waitFor();
  await page.route("**/v1/caption", () => undefined, { times: 1 });
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Canceled").waitFor();
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await answered(page, 1);
});

pageTest("Ask view: a question waits for a full queue", async () => {
  await using seen = await visit(ask, { allowed: REFUSED });
  const { page } = seen;
  await bring(page, rocket);
  await page.getByText("16 × 16 codes").waitFor();
  await page.route("**/v1/caption", (route) =>
    route.fulfill({
      status: 503,
      headers: { "retry-after": "1" },
      contentType: "application/problem+json",
      body: JSON.stringify({
        type: "/problems/overloaded",
        status: 503,
        detail: "Overloaded: 32 wait",
        retryable: true,
      }),
    }), { times: 1 });
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByText("Overloaded: 32 wait").waitFor();
  await answered(page, 1);
});

pageTest("Ask view: a question waits for an unreachable server", async () => {
  await using seen = await visit(ask, {
    allowed: REFUSED,
  });
  const { page } = seen;
  await bring(page, rocket);
  await page.getByText("16 × 16 codes").waitFor();
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByText("It continues automatically.").waitFor();
  await page.context().setOffline(false);
  await answered(page, 1);
});

pageTest(
  "Ask view: questions work with a required key and a small body limit",
  async () => {
    await using locked = await startServer({
      API_KEYS: "secret",
      MAX_BODY_BYTES: "20000",
    });
    await using seen = await visit(`${locked.url}/#ask`, {
      allowed: REFUSED,
    });
    const { page } = seen;
    await page.getByRole("textbox", { name: "API key" }).fill("secret");
    await page.getByRole("button", { name: "Use key" }).click();
    await page.getByText("Ready:").waitFor();
    const buffer = new Uint8Array(30_000);
    await bring(page, { name: "big.png", mimeType: "image/png", buffer });
    await page.getByText(/it is larger than 20000 bytes/).waitFor();
    await seen.check("ask-too-large");
  },
);

async function bring(page: Page, file: BroughtFile): Promise<void> {
  await page.locator(".view-ask input[type=file]").first()
    .setInputFiles(asPlaywright(file));
}

function asPlaywright(file: BroughtFile) {
  return { ...file, buffer: Buffer.from(file.buffer) };
}

/** Waits until the given number of questions have complete answers. */
async function answered(page: Page, count: number): Promise<void> {
  const whole = ".answers li:not([aria-busy]):has-text('token')";
  await page.locator(whole).nth(count - 1).waitFor();
}

/** Tabs on until an element of this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    const text = await page.evaluate("document.activeElement.textContent");
    if (text === name) return;
  }
  throw new Error(`${name} cannot be reached by the tabulator`);
}
