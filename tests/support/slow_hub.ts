/**
 * The hub of one large file over a line of limited speed, which records every
 * requested range. It runs as an entry point too, so that it is a process apart
 * from the one that is killed.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { gitHashOf } from "./hub_server.ts";
import { randomBytes } from "./tiny_hub_model.ts";

/** The behavior of the line. */
export interface SlowLine {
  /** Bytes per second of all connections together; undefined for no limit. */
  readonly bytesPerSecond?: number;
  /** Returns the bytes of each answer after which it stalls. */
  readonly holdAfter?: () => number;
}

/** A running hub. */
export interface SlowHub extends AsyncDisposable {
  /** Value for HF_ENDPOINT. */
  readonly endpoint: string;
  /** Count of requested bytes of the large file. */
  readonly asked: { bytes: number };
}

const PIECE_BYTES = 2 ** 16;
const CONFIG = new TextEncoder().encode("{}");
const FILE = "model.safetensors";

/** Starts a hub whose large file has `size` bytes. */
export function slowHub(size: number, line: SlowLine): SlowHub {
  const block = randomBytes(size, PIECE_BYTES);
  // Each block is unique: it begins with its number.
  const contentAt = (at: number, count: number) => {
    const piece = block.slice();
    new DataView(piece.buffer).setUint32(0, Math.floor(at / PIECE_BYTES));
    const from = at % PIECE_BYTES;
    return piece.subarray(from, Math.min(PIECE_BYTES, from + count));
  };
  const sha256 = hashOf(size, contentAt);
  const listing = JSON.stringify({
    sha: "c".repeat(40),
    siblings: [
      {
        rfilename: "config.json",
        size: CONFIG.length,
        blobId: gitHashOf(CONFIG),
      },
      { rfilename: FILE, size, lfs: { sha256, size } },
    ],
  });
  const asked = { bytes: 0 };
  const stop = new AbortController();
  let due = 0;
  const pace = async (bytes: number) => {
    if (line.bytesPerSecond === undefined) return;
    const now = performance.now();
    due = Math.max(due, now) + 1000 * bytes / line.bytesPerSecond;
    await new Promise((resolve) => setTimeout(resolve, due - now));
  };
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: stop.signal,
    onListen: () => {},
  }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/api/")) return new Response(listing);
    if (!pathname.endsWith(FILE)) return new Response(CONFIG);
    const range = /^bytes=(\d+)-(\d+)$/.exec(
      request.headers.get("Range") ?? "",
    );
    const start = Number(range?.[1] ?? 0);
    const end = Number(range?.[2] ?? size - 1) + 1;
    asked.bytes += end - start;
    const hold = line.holdAfter?.() ?? Infinity;
    let at = start;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        if (at - start >= hold) {
          await new Promise((resolve) =>
            stop.signal.addEventListener("abort", resolve, { once: true })
          );
          return controller.error(new Error("the hub is gone"));
        }
        const count = Math.min(end, start + hold) - at;
        const piece = contentAt(at, count);
        await pace(piece.length);
        controller.enqueue(piece);
        at += piece.length;
        if (at === end) controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body, {
      status: range === null ? 200 : 206,
      headers: {
        "Content-Length": `${end - start}`,
        "X-Linked-Etag": `"${sha256}"`,
        ...range === null
          ? {}
          : { "Content-Range": `bytes ${start}-${end - 1}/${size}` },
      },
    });
  });
  return {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await server.finished;
    },
  };
}

function hashOf(
  size: number,
  contentAt: (at: number, count: number) => Uint8Array,
): string {
  const hash = createHash("sha256");
  for (let at = 0; at < size;) {
    const piece = contentAt(at, size - at);
    hash.update(piece);
    at += piece.length;
  }
  return hash.digest("hex");
}
