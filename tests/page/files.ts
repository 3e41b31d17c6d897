/**
 * The files that users upload, made by the server.
 *
 * @module
 */

import { ok } from "node:assert/strict";

/** A file as Playwright accepts it. */
export interface BroughtFile {
  /** Name with its extension. */
  readonly name: string;
  /** Media type. */
  readonly mimeType: string;
  /** Contents. */
  readonly buffer: Uint8Array<ArrayBuffer>;
}

/** Returns a picture that the server drew. */
export async function drawnFile(
  url: string,
  prompt: string,
  seed: number,
): Promise<BroughtFile> {
  const body = JSON.stringify({ prompt, seed });
  const png = await asked(url, "generate", body, "image/png");
  return { name: `${prompt}.png`, mimeType: "image/png", buffer: png };
}

/** Returns a short animation. */
export async function animation(url: string): Promise<BroughtFile> {
  const { buffer } = await drawnFile(url, "a cat", 1);
  const form = new FormData();
  form.set("pad", "repeat");
  form.append("frames", new Blob([buffer], { type: "image/png" }));
  const json = await asked(url, "tokenize", form, "application/json");
  const { clip } = JSON.parse(new TextDecoder().decode(json));
  const body = JSON.stringify({ clip });
  const gif = await asked(url, "detokenize", body, "image/gif");
  return { name: "cat.gif", mimeType: "image/gif", buffer: gif };
}

async function asked(
  url: string,
  name: string,
  body: string | FormData,
  accept: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const type = { "content-type": "application/json" };
  const answer = await fetch(`${url}/v1/${name}`, {
    method: "POST",
    headers: { accept, ...(typeof body === "string" && type) },
    body,
  });
  ok(answer.ok);
  return new Uint8Array(await answer.arrayBuffer());
}
