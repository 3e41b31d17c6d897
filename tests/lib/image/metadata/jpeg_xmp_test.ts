import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { decodeImage } from "../../../../lib/image/decode.ts";
import { withXmp } from "../../../../lib/image/metadata/jpeg_xmp.ts";
import { goldenPath } from "../../../support/golden.ts";

const jpeg = await Deno.readFile(goldenPath("preprocess/baseline_444.jpg"));
const anyOptions = { decode: "display", maxPixels: 2 ** 20 } as const;

Deno.test("withXmp() changes no pixel", async () => {
  const marked = withXmp(jpeg, "<x/>");
  deepStrictEqual(
    await decodeImage(marked, anyOptions),
    await decodeImage(jpeg, anyOptions),
  );
});

Deno.test("withXmp() writes the packet into the first segment", () => {
  const marked = withXmp(jpeg, "<x>é</x>");
  const view = new DataView(marked.buffer);
  strictEqual(view.getUint16(0), 0xffd8);
  strictEqual(view.getUint16(2), 0xffe1);
  const segment = marked.subarray(6, 4 + view.getUint16(4));
  const expected = "http://ns.adobe.com/xap/1.0/\0<x>é</x>";
  strictEqual(new TextDecoder().decode(segment), expected);
});

Deno.test("withXmp() omits a packet that is too long for a segment", () => {
  const largest = 0xffff - 2 - "http://ns.adobe.com/xap/1.0/\0".length;
  ok(withXmp(jpeg, "x".repeat(largest)).length > jpeg.length);
  deepStrictEqual(withXmp(jpeg, "x".repeat(largest + 1)), jpeg);
});
