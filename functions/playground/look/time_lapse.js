/**
 * The time lapse of a drawing, from its first code to its last.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { apngOf } from "../logic/apng.js";

/** Maximum of frames, without the empty one. */
const MAX_FRAMES = 64;

/** Duration of each frame, and of the last one, in milliseconds. */
const FRAME_MS = 80;
const LAST_MS = 2000;

/** Color of cells that are not drawn yet. */
const EMPTY = "#888";

/**
 * @param {import("./coded.js").CodedPicture} picture
 * @returns {Promise<Uint8Array<ArrayBuffer>>} APNG with a frame per row if rows
 *   are many, or else several frames per row.
 */
export async function timeLapse({ file, grid: { height, width } }) {
  const bitmap = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) {
    throw new Error("The browser does not support this canvas.");
  }
  const all = height * width;
  const count = Math.min(all, MAX_FRAMES);
  const frames = [];
  for (let i = 0; i <= count; i++) {
    const cells = Math.round(all * i / count);
    context.fillStyle = EMPTY;
    context.fillRect(0, 0, canvas.width, canvas.height);
    drawFirst(context, bitmap, { height, width, cells });
    const png = await (await canvas.convertToBlob()).arrayBuffer();
    frames.push({
      png: new Uint8Array(png),
      ms: i === count ? LAST_MS : FRAME_MS,
    });
  }
  bitmap.close();
  return apngOf(frames);
}

/**
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {ImageBitmap} bitmap
 * @param {{ height: number, width: number, cells: number }} shown Size and
 *   progress, in cells.
 */
function drawFirst(context, bitmap, { height, width, cells }) {
  const side = { y: bitmap.height / height, x: bitmap.width / width };
  const rows = Math.floor(cells / width);
  for (
    const [y, tall, wide] of [
      [0, rows, width],
      [rows, 1, cells % width],
    ]
  ) {
    if (!tall || !wide) continue;
    const part = /** @type {const} */ ([
      0,
      (y ?? 0) * side.y,
      wide * side.x,
      tall * side.y,
    ]);
    context.drawImage(bitmap, ...part, ...part);
  }
}
