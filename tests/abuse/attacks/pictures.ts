/**
 * The attacks by pictures: few bytes that decode to many pixels, or many
 * frames.
 *
 * @module
 */

import { plainGif, plainPng } from "../../support/bombs.ts";
import { pngHeader } from "../../support/odd_pictures.ts";
import {
  ask,
  askJson,
  type Attack,
  BUSY,
  oneOf,
  size,
  type Target,
  together,
} from "./attack.ts";

/** Sends a picture to one of the functions that accept one. */
function sendPicture(
  target: Target,
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
): Promise<number> {
  const path = oneOf(target.random, [
    "/v1/tokenize",
    "/v1/caption?max_tokens=1",
  ]);
  return ask(target, path, {
    method: "POST",
    body: bytes,
    headers: { "content-type": type },
  });
}

/** Compressed once, because it takes long. */
const large = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();

function largePng(side: number): Promise<Uint8Array<ArrayBuffer>> {
  const made = large.get(side) ?? plainPng(side, side);
  large.set(side, made);
  return made;
}

const pngBombs: Attack = {
  name: "PNGs of few bytes and many pixels",
  allowed: [200, 413, 415, 422, ...BUSY],
  run: (target) =>
    together(10, async () => {
      const side = oneOf(target.random, [64, 1000, 3000, 8000, 20_000, 20_000]);
      // Some headers lie about the size.
      const bytes = side === 20_000
        ? pngHeader(side, side)
        : await largePng(side);
      return await sendPicture(target, bytes, "image/png");
    }),
};

const gifFrames: Attack = {
  name: "animations of many small frames, and of large canvases",
  allowed: [200, 413, 415, 422, ...BUSY],
  run: (target) =>
    together(6, () => {
      const { random } = target;
      const frames = size(random, 1, 30_000);
      const canvas = oneOf(random, [8, 8, 64, 4000, 8000]);
      const animation = plainGif(
        { height: canvas, width: canvas },
        frames,
        { height: 8, width: 8 },
      );
      return sendPicture(target, animation, "image/gif");
    }),
};

const manyPictures: Attack = {
  name: "many pictures in one request",
  allowed: [200, 400, 413, 415, 422, ...BUSY],
  run: (target) =>
    together(4, async () => {
      const { random } = target;
      const count = size(random, 2, 300);
      const bytes = await largePng(oneOf(random, [64, 1000, 4000]));
      const picture = bytes.toBase64();
      const list = Array(count).fill(`"${picture}"`).join();
      const [path, body] = oneOf(random, [
        ["/v1/caption", `{"images":[${list}],"max_tokens":1}`],
        ["/v1/tokenize", `{"frames":[${list}],"pad":"repeat"}`],
      ]);
      return await askJson(target, path!, body!);
    }),
};

const largeGrids: Attack = {
  name: "large grids and clips, as pixels",
  allowed: [200, 400, 406, 413, 422, ...BUSY],
  run: (target) =>
    together(4, async () => {
      const { random } = target;
      const [height, width] = [size(random, 1, 100), size(random, 1, 100)];
      const row = `[${Array(width).fill(0).join()}]`;
      const codes = `[${Array(height).fill(row).join()}]`;
      const frames = oneOf(random, [1, 2, 500]);
      const [body, accept] = oneOf(random, [
        [
          `{"grid":{"height":${height},"width":${width},"codes":${codes}}}`,
          "image/png",
        ],
        [
          `{"clip":{"frames":${frames},"height":${height},"width":${width},"codes":[${
            Array(frames).fill(codes).join()
          }]}}`,
          oneOf(random, [
            "image/apng",
            "image/gif",
            "application/zip",
            "application/json",
          ]),
        ],
      ]);
      return await askJson(target, "/v1/detokenize", body!, {
        accept: accept!,
      });
    }),
};

/** Attacks by pictures. */
export const PICTURE_ATTACKS: readonly Attack[] = [
  pngBombs,
  gifFrames,
  manyPictures,
  largeGrids,
];
