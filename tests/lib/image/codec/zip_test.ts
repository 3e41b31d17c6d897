import { deepStrictEqual } from "node:assert/strict";
import { unzipSync } from "fflate";
import { zipPngs } from "../../../../lib/image/codec/zip.ts";

const pngs = [Uint8Array.of(1, 2), Uint8Array.of(3)];

Deno.test("zipPngs() contains every file unchanged, in order", async () => {
  const files = unzipSync(await zipPngs(pngs));
  deepStrictEqual(Object.keys(files), ["frame_0000.png", "frame_0001.png"]);
  deepStrictEqual(Object.values(files).map((file) => [...file]), [[1, 2], [3]]);
});

Deno.test("zipPngs() returns the same bytes for the same files", async () => {
  deepStrictEqual(await zipPngs(pngs), await zipPngs(pngs));
});
