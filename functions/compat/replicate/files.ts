/**
 * The route `POST /files`, by which Replicate's client uploads files of a
 * prediction.
 *
 * The answer is the file's data URL, which the client then puts into the input:
 * nothing is stored.
 *
 * @module
 */

import { Hono } from "hono";
import type { AppEnv } from "../../http/context.ts";
import { filesDescription } from "../../openapi/description/predictions.ts";
import { SLICE, turn } from "../../metrics/event_loop.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { readParts } from "../../http/upload.ts";
import { dataUrl } from "./prediction.ts";

/** Returns the route, ready to mount. */
export function files(maxBytes: number): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/files", filesDescription, async (c) => {
    const parts = await readParts(c.req.raw, maxBytes);
    const file = parts.find(({ name }) => name === "content");
    if (file?.fileName === undefined) {
      throw invalidField("/content", "expected a file part");
    }
    const { fileName, content: bytes } = file;
    const type = file.type || "application/octet-stream";
    const fields = JSON.stringify({
      id: `file-${crypto.randomUUID()}`,
      name: fileName,
      "content_type": type,
      size: bytes.length,
      "created_at": new Date().toISOString(),
      metadata: {},
      urls: { get: dataUrl({ "b64_json": "", "mime_type": type }) },
    });
    // The data URL is the last field, and ends with its base64.
    const end = '"}}';
    const answer = new Blob([
      fields.slice(0, -end.length),
      ...await base64Slices(bytes),
      end,
    ]);
    return c.body(answer.stream(), 201, { "content-type": JSON_TYPE });
  });
}

const JSON_TYPE = "application/json";

/** Encodes bytes as base64, one slice per turn of the event loop. */
async function base64Slices(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Blob[]> {
  // Three bytes are four characters: only the last slice may be padded.
  const size = SLICE - SLICE % 3;
  const slices: Blob[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    if (start > 0) await turn();
    slices.push(new Blob([bytes.subarray(start, start + size).toBase64()]));
  }
  return slices;
}
