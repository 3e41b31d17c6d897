import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { withMp4Xmp } from "../../../../lib/image/metadata/mp4_xmp.ts";

/** Returns type and data of each box. */
function boxesOf(mp4: Uint8Array): [string, Uint8Array][] {
  const boxes: [string, Uint8Array][] = [];
  for (let at = 0; at < mp4.length;) {
    const length = new DataView(mp4.buffer, mp4.byteOffset).getUint32(at);
    const type = new TextDecoder().decode(mp4.subarray(at + 4, at + 8));
    boxes.push([type, mp4.subarray(at + 8, at + length)]);
    at += length;
  }
  return boxes;
}

const ftyp = Uint8Array.of(0, 0, 0, 9, 0x66, 0x74, 0x79, 0x70, 1);

Deno.test("withMp4Xmp() adds the packet whole, in the last box, and changes no other", () => {
  const anyPacket = fc.string({ unit: "grapheme", maxLength: 300 });
  fc.assert(fc.property(anyPacket, (packet) => {
    const marked = withMp4Xmp(ftyp, packet);
    deepStrictEqual(marked.subarray(0, ftyp.length), ftyp);
    const [, [type, data], ...rest] = boxesOf(marked) as [
      [string, Uint8Array],
      [string, Uint8Array],
    ];
    deepStrictEqual(rest, []);
    strictEqual(type, "uuid");
    strictEqual(
      data.subarray(0, 16).toHex(),
      "be7acfcb97a942e89c71999491e3afac",
    );
    deepStrictEqual(data.subarray(16), new TextEncoder().encode(packet));
  }));
});
