/**
 * `POST /files`: how Replicate's client sends files along with a prediction.
 *
 * A file comes back as the data URL of itself, which the client then puts into
 * the input: nothing is kept.
 *
 * @module
 */

import { Hono } from "hono";
import type { AppEnv } from "../context.ts";
import { filesDescription } from "../description/predictions.ts";
import { invalidField } from "../refusals.ts";
import { readParts } from "../upload.ts";
import { dataUrl } from "./prediction.ts";

/** The route, ready to mount. */
export function files(maxBytes: number): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/files", filesDescription, async (c) => {
    const parts = await readParts(c.req.raw, maxBytes);
    const file = parts.find(({ name }) => name === "content");
    if (file?.fileName === undefined) {
      throw invalidField("/content", "expected a file part");
    }
    const { fileName, content: bytes } = file;
    const type = file.type || "application/octet-stream";
    const url = dataUrl({ "b64_json": bytes.toBase64(), "mime_type": type });
    return c.json({
      id: `file-${crypto.randomUUID()}`,
      name: fileName,
      "content_type": type,
      size: bytes.length,
      "created_at": new Date().toISOString(),
      metadata: {},
      urls: { get: url },
    }, 201);
  });
}
