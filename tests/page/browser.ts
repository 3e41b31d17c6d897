/**
 * The page in Chromium, and what must hold whatever is done there: nothing
 * leaves the origin, nothing is complained of, everybody can use it.
 *
 * @module
 */

import axe from "axe-core";
import { deepStrictEqual } from "node:assert/strict";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** Where screenshots go. */
const SCREENS = new URL("../../.cache/screens/", import.meta.url);

/** Machines may be slow and busy. */
const PATIENCE_MS = 60_000;

/** How the page is looked at. */
export interface Look {
  /** Of the window, in pixels. */
  readonly width?: number;
  /** What is allowed to be complained of: a server that is away, say. */
  readonly allowed?: RegExp;
}

/** Widths of a desk and of a small phone. */
export const WIDTHS = [1280, 360] as const;

/** A page under test. */
export interface OpenedPage extends AsyncDisposable {
  /** The page. */
  readonly page: Page;
  /** Its browser's context. */
  readonly context: BrowserContext;
  /** Looks for faults of accessibility in light and dark, and takes pictures. */
  check(name: string): Promise<void>;
}

/** Opens the page at `url`. On disposal it is seen whether all went well. */
export async function openPage(
  url: string,
  { width = 1280, allowed }: Look = {},
): Promise<OpenedPage> {
  const browser = await chromium.launch({
    executablePath: Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    permissions: ["clipboard-read", "clipboard-write"],
    hasTouch: width < 500,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const { origin } = new URL(url);
  const complaints: string[] = [];
  const complain = (text: string) => {
    if (!allowed?.test(text)) complaints.push(text);
  };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complain(message.text());
  });
  page.on("pageerror", (error) => complain(String(error)));
  page.on("request", (request) => {
    const { protocol, origin: to } = new URL(request.url());
    if (!["blob:", "data:"].includes(protocol) && to !== origin) {
      complaints.push(`left the origin: ${request.url()}`);
    }
  });
  await page.goto(url);
  return {
    page,
    context,
    check: (name) => check(page, `${name}-${width}`),
    [Symbol.asyncDispose]: async () => {
      await browser.close();
      deepStrictEqual(complaints, []);
    },
  };
}

async function check(page: Page, name: string): Promise<void> {
  await Deno.mkdir(SCREENS, { recursive: true });
  // What is looked at has come.
  await page.locator("main > section:visible").first().waitFor();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({
      path: new URL(`${name}-${colorScheme}.png`, SCREENS).pathname,
      fullPage: true,
    });
    await page.evaluate(axe.source);
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: typeof import("axe-core");
      };
      const found = await axe.run();
      return found.violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) =>
          `${id} ${target.join(" ")}: ${failureSummary}`
        )
      );
    });
    deepStrictEqual(violations, [], `${name}, ${colorScheme}`);
  }
  deepStrictEqual(await overhang(page), 0, `${name} is wider than its window`);
}

/** By how many pixels the page is wider than its window. */
async function overhang(page: Page): Promise<number> {
  return await page.evaluate(
    "document.documentElement.scrollWidth - innerWidth",
  )
    .then((pixels) => Math.max(0, Number(pixels)));
}

/** A test with a browser, whose insides are its own business. */
export function pageTest(name: string, run: () => Promise<void>): void {
  Deno.test({ name, fn: run, sanitizeOps: false, sanitizeResources: false });
}
