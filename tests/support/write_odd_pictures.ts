/**
 * A script that writes odd pictures and their decoded levels, for the
 * comparison with Pillow.
 *
 * Usage: `deno run -A tests/support/write_odd_pictures.ts <folder>`
 *
 * @module
 */

import { decodeImage } from "../../lib/image/decode.ts";
import { ODD_GIFS } from "./odd_gifs.ts";
import { ODD_JPEGS } from "./odd_jpegs.ts";
import { ODD_PNGS } from "./odd_pngs.ts";
import { ODD_WEBPS } from "./odd_webps.ts";

const [folder] = Deno.args;
if (folder === undefined) throw new TypeError("expected a folder to write to");

const index = [];
const pictures = [...ODD_GIFS, ...ODD_JPEGS, ...ODD_PNGS, ...ODD_WEBPS];
for (const { name, bytes, unlikePillow } of pictures) {
  Deno.writeFileSync(`${folder}/${name}`, bytes);
  const sizes = [];
  for (const decode of ["reference", "display"] as const) {
    const options = { decode, maxPixels: 1_000_000 };
    const { height, width, pixels } = await decodeImage(bytes, options);
    const path = `${folder}/${name}.${decode}.rgb`;
    Deno.writeFileSync(path, new Uint8Array(pixels));
    sizes.push([width, height]);
  }
  const [reference, display] = sizes;
  index.push({ name, reference, display, unlikePillow });
}
Deno.writeTextFileSync(`${folder}/index.json`, JSON.stringify(index));
