import { deepStrictEqual, throws } from "node:assert/strict";
import { floatsOf } from "../../../lib/loading/floats.ts";
import { convert } from "../../../lib/quantization/convert.ts";

function bytesOf(data: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

Deno.test("floatsOf() reads fp32, fp16 and bf16 exactly", () => {
  const values = [1, -2.5, 0, 65_504];
  const bits = new Uint32Array(Float32Array.of(1, -2.5, 0, 2 ** 100).buffer);
  const bf16 = Uint16Array.from(bits, (bits) => bits >>> 16);
  deepStrictEqual(
    [...floatsOf(bytesOf(Float32Array.from(values)), "F32")],
    values,
  );
  deepStrictEqual(
    [...floatsOf(bytesOf(Float16Array.from(values)), "F16")],
    values,
  );
  deepStrictEqual([...floatsOf(bytesOf(bf16), "BF16")], [1, -2.5, 0, 2 ** 100]);
});

Deno.test("floatsOf() refuses types that are no floats", () => {
  throws(() => floatsOf(new Uint8Array(4), "I32"), TypeError);
});

Deno.test("convert() halves fp32 to the nearest bf16, ties to even, as PyTorch does", () => {
  const values = new Float32Array(
    Uint32Array.of(0x3f800000, 0x3f808000, 0x3f818000, 0x3f808001).buffer,
  );
  const [halves] = convert(bytesOf(values), "F32", { kind: "halve" });
  deepStrictEqual(
    [...new Uint16Array(halves!.buffer)],
    [0x3f80, 0x3f80, 0x3f82, 0x3f81],
  );
});

Deno.test("convert() copies bytes unchanged", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  deepStrictEqual(convert(bytes, "I64", { kind: "copy" }), [bytes]);
});
