/**
 * The captions of pictures that have none: from the caption function of a
 * running server.
 *
 * @module
 */

import { readHeader } from "../../../lib/image/header.ts";
import { ServerPool } from "./server_pool.ts";
import type { ServerOptions } from "./server.ts";

/** Returns the caption of the picture in `bytes`. */
export type Captioner = (
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
) => Promise<string>;

/**
 * Returns a captioner of the servers at `addresses`.
 *
 * @param question Question that the caption answers; undefined for the model's
 * own.
 * @throws {PreparationError} If an address is no HTTP URL.
 */
export function captionerOf(
  addresses: readonly string[],
  question: string | undefined,
  server: ServerOptions,
): Captioner {
  const pool = new ServerPool(addresses, server);
  return async (bytes, signal) => {
    const { type } = readHeader(bytes);
    const form = new FormData();
    form.set("image", new Blob([bytes], { type: `image/${type}` }), "image");
    // Captions of a set are the same each time it is prepared.
    form.set("temperature", "0");
    if (question !== undefined) form.set("question", question);
    const answer = await pool.request("/v1/caption", {
      method: "POST",
      headers: { accept: "application/json" },
      body: form,
    }, signal);
    const { text } = await answer.json();
    return String(text).trim();
  };
}
