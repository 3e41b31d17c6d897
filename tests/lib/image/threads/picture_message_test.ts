import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { pack, unpack } from "../../../../lib/image/threads/picture_message.ts";

const anyMessage = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(undefined),
    fc.uint8Array(),
    fc.uint8ClampedArray(),
    fc.array(tie("value")),
    fc.dictionary(fc.constantFrom("method", "value", "image"), tie("value"), {
      noNullPrototype: true,
    }),
  ),
})).value;

Deno.test("unpack() inverts pack(), after the transfer between threads", () => {
  fc.assert(fc.property(anyMessage, (message) => {
    const { packed, buffers } = pack(message);
    deepStrictEqual(
      unpack(structuredClone(packed, { transfer: buffers })),
      message,
    );
  }));
});

Deno.test("pack() moves copies of only the bytes that a view covers", () => {
  const all = Uint8Array.of(1, 2, 3, 4);
  const { buffers } = pack({ bytes: all.subarray(1, 3) });
  strictEqual(buffers.length, 1);
  deepStrictEqual(new Uint8Array(buffers[0]!), Uint8Array.of(2, 3));
  ok(buffers[0] !== all.buffer);
});

Deno.test("pack() transfers arrays that it may move, and copies parts of a buffer", () => {
  const whole = Uint8Array.of(1, 2, 3);
  const part = Uint8Array.of(4, 5, 6).subarray(1);
  const { packed, buffers } = pack([whole, part, whole], { move: true });
  strictEqual(buffers[0], whole.buffer);
  ok(buffers.every((buffer, i) => i === 0 || buffer !== whole.buffer));
  const arrived = unpack(structuredClone(packed, { transfer: buffers }));
  deepStrictEqual(arrived, [
    Uint8Array.of(1, 2, 3),
    Uint8Array.of(5, 6),
    Uint8Array.of(1, 2, 3),
  ]);
  strictEqual(whole.length, 0);
  strictEqual(part.length, 2);
});
