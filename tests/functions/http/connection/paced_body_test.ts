import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  pacedBody,
  PIECE_BYTES,
  piecesOfBase64,
  piecesOfBytes,
  piecesOfText,
} from "../../../../functions/http/connection/paced_body.ts";

async function read(pieces: Iterator<Uint8Array>): Promise<Uint8Array> {
  let ends = 0;
  const body = pacedBody(pieces, { onEnd: () => ends++ });
  const bytes = await new Response(body).bytes();
  strictEqual(ends, 1);
  return bytes;
}

/** Text that is longer than a piece, with characters of every length. */
const anyText = fc.tuple(
  fc.string({ unit: "binary", maxLength: 9 }),
  fc.integer({ min: 0, max: 3 * PIECE_BYTES / 4 }),
).map(([text, times]) => text.repeat(times / 4));

Deno.test("piecesOfBytes(), piecesOfText() and piecesOfBase64() join to the original, in UTF-8 and in base64", async () => {
  const check = async (text: string) => {
    const bytes = new TextEncoder().encode(text);
    deepStrictEqual(await read(piecesOfBytes(bytes)), bytes);
    deepStrictEqual(await read(piecesOfText(text)), bytes);
    const base64 = new TextDecoder().decode(await read(piecesOfBase64(bytes)));
    strictEqual(base64, bytes.toBase64());
  };
  await fc.assert(fc.asyncProperty(anyText, check), { numRuns: 30 });
});

Deno.test("piecesOfBytes(), piecesOfText() and piecesOfBase64() yield at most PIECE_BYTES", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const piece of piecesOfText(text)) {
        // A character takes up to three bytes a unit.
        ok(piece.length <= 3 * (PIECE_BYTES + 1));
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("pacedBody() makes each piece on demand", async () => {
  let made = 0;
  function* count() {
    for (;;) yield Uint8Array.of(++made);
  }
  const ended = Promise.withResolvers<void>();
  let left = 0;
  const body = pacedBody(count(), {
    onLeft: () => left++,
    onEnd: ended.resolve,
  });
  await new Promise((resolve) => setTimeout(resolve));
  strictEqual(made, 0);
  const reader = body.getReader();
  for (let i = 1; i < 5; i++) {
    await reader.read();
    strictEqual(made, i);
  }
  await reader.cancel();
  await ended.promise;
  strictEqual(left, 1);
});

Deno.test("pacedBody() drops a stalled reader and ends the source of pieces", async () => {
  const told: string[] = [];
  const ended = Promise.withResolvers<void>();
  async function* pieces() {
    try {
      for (;;) yield await Promise.resolve(Uint8Array.of(1));
    } finally {
      told.push("returned");
    }
  }
  const body = pacedBody(pieces(), {
    stalledMs: 5,
    onLeft: () => void told.push("left"),
    onEnd: () => {
      told.push("ended");
      ended.resolve();
    },
  });
  const reader = body.getReader();
  await reader.read();
  await ended.promise;
  deepStrictEqual(told, ["left", "returned", "ended"]);
  await rejects(reader.read(), /the reader disconnected/);
});

Deno.test("pacedBody() fails with the error of its pieces", async () => {
  let ends = 0;
  // deno-lint-ignore require-yield
  function* bad(): Generator<Uint8Array> {
    throw new RangeError("no more");
  }
  const body = pacedBody(bad(), { onEnd: () => ends++ });
  await rejects(new Response(body).bytes(), /no more/);
  strictEqual(ends, 1);
});
