/**
 * The OpenAI client, and the messages that tests send with it.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import OpenAI, { APIError } from "openai";
import { goldenPath } from "./golden.ts";
import { json } from "./tiny_server.ts";

/** Creates a client of a server at `url`, without retries by default. */
export function openaiClient(
  url: string,
  options: ConstructorParameters<typeof OpenAI>[0] = {},
): OpenAI {
  const baseURL = `${url}/v1`;
  return new OpenAI({ baseURL, apiKey: "none", maxRetries: 0, ...options });
}

/** Question about a picture of the reference. */
export const STORY = "Tell me a story about this picture.";

/** Picture of the reference. */
export const STORY_PICTURE: string = dataUrl("chat/c1.png");

/** Returns a picture of `tests/golden` as a data URL. */
export function dataUrl(path: string): string {
  const bytes = Deno.readFileSync(goldenPath(path));
  return `data:image/png;base64,${bytes.toBase64()}`;
}

/** Creates a user message: pictures by their URLs, then text. */
export function asking(
  text: string,
  ...urls: readonly string[]
): OpenAI.ChatCompletionMessageParam {
  const pictures = urls.map((url) => ({
    type: "image_url" as const,
    image_url: { url },
  }));
  return { role: "user", content: [...pictures, { type: "text", text }] };
}

/** Returns the answer of one of this API's own functions. */
export async function native(
  url: string,
  body: object,
  // deno-lint-ignore no-explicit-any -- its shape is the function's own
): Promise<any> {
  return await (await fetch(url, json(body))).json();
}

/** Returns the error that `promise` rejects with. */
export async function apiFailure(promise: Promise<unknown>): Promise<APIError> {
  const error = await promise.then(() => undefined, (error) => error);
  ok(error instanceof APIError, `${error}`);
  return error;
}
