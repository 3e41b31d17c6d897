/**
 * The page in Chromium, and its invariants: no request leaves the origin, no
 * errors are logged, and the page is accessible.
 *
 * @module
 */

import axe from "axe-core";
import { deepStrictEqual } from "node:assert/strict";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** Folder of screenshots. */
const SCREENS = new URL("../../.cache/screens/", import.meta.url);

/** Timeout in milliseconds, generous for a busy machine. */
const TIMEOUT_MS = 60_000;

/** The options of a page. */
export interface Look {
  /** Width of the window, in pixels. */
  readonly width?: number;
  /**
   * Pattern of console messages that are expected, for an unreachable server
   * for example.
   */
  readonly allowed?: RegExp;
}

/** Widths of a desktop and of a small phone. */
export const WIDTHS = [1280, 360] as const;

/** A page under test. */
export interface OpenedPage extends AsyncDisposable {
  /** Page of the browser. */
  readonly page: Page;
  /** Context of the browser. */
  readonly context: BrowserContext;
  /** Checks accessibility in light and dark, and takes screenshots. */
  check(name: string): Promise<void>;
}

/** Opens the page at `url`. Disposal checks the invariants. */
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
  context.setDefaultTimeout(TIMEOUT_MS);
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
  // The content is loaded.
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

/** Returns the pixels by which the page is wider than its window. */
async function overhang(page: Page): Promise<number> {
  return await page.evaluate(
    "document.documentElement.scrollWidth - innerWidth",
  )
    .then((pixels) => Math.max(0, Number(pixels)));
}

/**
 * Registers a test with a browser, whose own resources are not checked for
 * leaks.
 */
export function pageTest(name: string, run: () => Promise<void>): void {
  Deno.test({ name, fn: run, sanitizeOps: false, sanitizeResources: false });
}
