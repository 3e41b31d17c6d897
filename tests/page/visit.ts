/**
 * The page with a record of its requests.
 *
 * @module
 */

import type { Page } from "playwright-core";
import { type Look, type OpenedPage, openPage } from "./browser.ts";

/** A page under test, with its requests. */
export interface Visit extends OpenedPage {
  /** Paths of its requests, and the bodies of POST requests. */
  readonly asked: readonly { readonly path: string; readonly body: string }[];
}

/** Console messages of browsers about failed requests. */
export const REFUSED = /Failed to load resource|ERR_INTERNET_DISCONNECTED/;

/** Opens a view of the page. */
export async function visit(url: string, look: Look = {}): Promise<Visit> {
  const opened = await openPage(url, look);
  const asked: { path: string; body: string }[] = [];
  opened.page.on("request", (request) => {
    const { pathname: path } = new URL(request.url());
    asked.push({ path, body: request.postData() ?? "" });
  });
  return {
    ...opened,
    asked,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** Downloads the file that Draw offers. */
export async function download(page: Page): Promise<Uint8Array<ArrayBuffer>> {
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  return new Uint8Array(await Deno.readFile(await (await coming).path()));
}
