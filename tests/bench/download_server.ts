/**
 * A hub of one large file, as fast as a loopback server in Deno goes.
 *
 * Argument: the file. Prints its address.
 *
 * @module
 */

import { hashFile } from "../../deploy/cache/hashing/hash_file.ts";

const CHUNK_BYTES = 2 ** 18;
const FILE = "model.safetensors";

const [path] = Deno.args;
const { size } = await Deno.stat(path!);
const { hex: sha256 } = await hashFile({ path: path!, kind: "sha256" });
const config = "{}";
const commit = "c".repeat(40);

const listing = JSON.stringify({
  sha: commit,
  siblings: [
    {
      rfilename: "config.json",
      size: config.length,
      // Git's hash of "{}".
      blobId: "9e26dfeeb6e641a33dae4961196235bdb965b21b",
    },
    { rfilename: FILE, size, lfs: { sha256, size } },
  ],
});

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => {
    Deno.stdout.writeSync(
      new TextEncoder().encode(`http://127.0.0.1:${port}\n`),
    );
  },
}, async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/api/")) return new Response(listing);
  if (!pathname.endsWith(FILE)) return new Response(config);
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("Range") ?? "");
  const start = Number(range?.[1] ?? 0);
  const end = Number(range?.[2] ?? size - 1) + 1;
  const file = await Deno.open(path!);
  await file.seek(start, Deno.SeekMode.Start);
  return new Response(reading(file, end - start), {
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

function reading(
  file: Deno.FsFile,
  count: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = count;
  return new ReadableStream({
    pull: (controller) => {
      const chunk = new Uint8Array(Math.min(left, CHUNK_BYTES));
      const read = file.readSync(chunk) ?? 0;
      if (read > 0) controller.enqueue(chunk.subarray(0, read));
      left -= read;
      if (left > 0 && read > 0) return;
      file.close();
      controller.close();
    },
    cancel: () => file.close(),
  });
}
