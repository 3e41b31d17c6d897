import { doesNotThrow, strictEqual, throws } from "node:assert/strict";
import { checkDrawnSize } from "../../../functions/inference/drawn_size.ts";
import { clipLayout } from "../../../lib/clip_layout.ts";
import { rowsLength } from "../../../lib/drawing/token_layout.ts";
import { CLIP_FORMS, clipOf } from "../../support/clips.ts";
import { TINY_VOCABULARY } from "../../support/golden.ts";

/** A writer that writes digits one by one, as the tokenizers of Emu3. */
const writer = {
  vocabulary: TINY_VOCABULARY,
  text: {
    encode: (text: string) =>
      Promise.resolve(Int32Array.from(text, (unit) => unit.charCodeAt(0))),
  },
};

for (const [name, form] of Object.entries(CLIP_FORMS)) {
  Deno.test(`checkDrawnSize() counts the tokens of a clip, ${name}`, async () => {
    const frames = 3;
    const size = { height: frames * 12, width: 10 };
    const clip = clipOf(form, frames);
    const layout = await clipLayout(writer, clip, size);
    const tokens = rowsLength(layout, size.width, 0, size.height) + 1;
    const check = (maxPositions: number) =>
      checkDrawnSize({}, { size, clip }, {
        language: { config: { imageArea: 1, maxPositions } },
        vision: { pixelsPerCode: 8 },
      });
    throws(() => check(tokens));
    doesNotThrow(() => check(tokens + 1));
    strictEqual(layout.frameHeight, 12);
  });
}
