/**
 * The hub of one large file in memory: the benchmark measures the client and
 * the loopback, not a disk or a server's streams.
 *
 * Argument: GiB of the file. Prints its address.
 *
 * The file is one block of noise repeated, each time from another byte, so that
 * neither a disk nor a line compresses it and misplaced parts are detected.
 *
 * @module
 */

import { createHash } from "node:crypto";

const BLOCK_BYTES = 2 ** 24;
/** Approximate size of a socket write. */
const WRITE_BYTES = 2 ** 20;
const FILE = "model.safetensors";
const CONFIG = "{}";

const size = Number(Deno.args[0]) * 2 ** 30;
// Twice, so that a block from any byte on is contiguous memory.
const noise = noiseTwice();
const sha256 = hash();
const listing = JSON.stringify({
  sha: "c".repeat(40),
  siblings: [
    {
      rfilename: "config.json",
      size: CONFIG.length,
      // Git's hash of "{}".
      blobId: "9e26dfeeb6e641a33dae4961196235bdb965b21b",
    },
    { rfilename: FILE, size, lfs: { sha256, size } },
  ],
});

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
Deno.stdout.writeSync(
  new TextEncoder().encode(`http://127.0.0.1:${listener.addr.port}\n`),
);
for await (const connection of listener) {
  // A client that disconnects has finished.
  void serve(connection).catch(() => {}).finally(() => connection.close());
}

/** Answers requests sequentially. */
async function serve(connection: Deno.Conn): Promise<void> {
  const memory = new Uint8Array(2 ** 14);
  for (let text = "";;) {
    const count = await connection.read(memory);
    if (count === null) return;
    text += new TextDecoder().decode(memory.subarray(0, count));
    if (!text.endsWith("\r\n\r\n")) continue;
    await answer(connection, text);
    text = "";
  }
}

async function answer(connection: Deno.Conn, request: string): Promise<void> {
  const path = request.split(" ")[1] ?? "/";
  if (!path.endsWith(FILE)) {
    const body = path.startsWith("/api/") ? listing : CONFIG;
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
    await writeAll(connection, new TextEncoder().encode(head + body));
    return;
  }
  const range = /^range: bytes=(\d+)-(\d+)/im.exec(request);
  const start = Number(range?.[1] ?? 0);
  const end = Number(range?.[2] ?? size - 1) + 1;
  const head = [
    range === null ? "HTTP/1.1 200 OK" : "HTTP/1.1 206 Partial Content",
    `Content-Length: ${end - start}`,
    `X-Linked-Etag: "${sha256}"`,
    ...range === null
      ? []
      : [`Content-Range: bytes ${start}-${end - 1}/${size}`],
  ];
  await writeAll(
    connection,
    new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`),
  );
  for (let at = start; at < end;) {
    const piece = contentAt(at, Math.min(end - at, WRITE_BYTES));
    await writeAll(connection, piece);
    at += piece.length;
  }
}

async function writeAll(
  connection: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

/** Returns up to `count` bytes of the file from `at` on. */
function contentAt(at: number, count: number): Uint8Array {
  const block = Math.floor(at / BLOCK_BYTES);
  const from = at % BLOCK_BYTES;
  const start = block % BLOCK_BYTES + from;
  return noise.subarray(start, start + Math.min(count, BLOCK_BYTES - from));
}

function noiseTwice(): Uint8Array {
  const twice = new Uint8Array(2 * BLOCK_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at += 65_536) {
    crypto.getRandomValues(twice.subarray(at, at + 65_536));
  }
  twice.copyWithin(BLOCK_BYTES, 0, BLOCK_BYTES);
  return twice;
}

function hash(): string {
  const hash = createHash("sha256");
  for (let at = 0; at < size;) {
    const piece = contentAt(at, Math.min(size - at, BLOCK_BYTES));
    hash.update(piece);
    at += piece.length;
  }
  return hash.digest("hex");
}
