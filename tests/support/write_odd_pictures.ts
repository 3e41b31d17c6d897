/**
 * Writes odd pictures and what this library reads in them, for the comparison
 * with Pillow.
 *
 * Usage: `deno run -A tests/support/write_odd_pictures.ts <folder>`
 *
 * @module
 */

import { decodeImage } from "../../lib/vision/decode.ts";
import { ODD_GIFS } from "./odd_gifs.ts";

const [folder] = Deno.args;
if (folder === undefined) throw new TypeError("expected a folder to write to");

const index = [];
for (const { name, bytes, unlikePillow } of [...ODD_GIFS]) {
  const options = { decode: "reference", maxPixels: 1_000_000 } as const;
  const { height, width, pixels } = await decodeImage(bytes, options);
  Deno.writeFileSync(`${folder}/${name}`, bytes);
  Deno.writeFileSync(`${folder}/${name}.rgb`, new Uint8Array(pixels));
  index.push({ name, height, width, unlikePillow });
}
Deno.writeTextFileSync(`${folder}/index.json`, JSON.stringify(index));
