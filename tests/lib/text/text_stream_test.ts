import { strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { TextStream } from "../../../lib/text/text_stream.ts";

/**
 * A token for every byte, then "é" and "😀" in halves, then two special tokens.
 */
const halves = [[0xc3], [0xa9], [0xf0, 0x9f], [0x98, 0x80]];
const bytes = Uint8Array.from([
  ...Array.from({ length: 256 }, (_, byte) => byte),
  ...halves.flat(),
]);
let end = 256;
const ends = Uint32Array.from([
  ...Array.from({ length: 256 }, (_, byte) => byte + 1),
  ...halves.map((half) => end += half.length),
]);
const names = new Map([[300, "<|a|>"], [301, "<|é|>"]]);
const spellings = { table: { bytes, ends }, names };

const anyToken = fc.oneof(fc.nat(ends.length - 1), fc.constantFrom(300, 301));

/**
 * Decodes as Python's `bytes.decode(errors="replace")`, which the Encoding
 * standard matches.
 */
function decodeWhole(tokens: readonly number[], skipSpecial: boolean): string {
  const spelled = tokens.flatMap((token) => {
    const name = names.get(token);
    if (name !== undefined) {
      return skipSpecial ? [] : [...new TextEncoder().encode(name)];
    }
    return [...bytes.subarray(token === 0 ? 0 : ends[token - 1], ends[token])];
  });
  return new TextDecoder("utf-8", { ignoreBOM: true })
    .decode(Uint8Array.from(spelled));
}

Deno.test("push() adds up to the text of all bytes, in any grouping of tokens", () => {
  const groups = fc.array(fc.array(anyToken, { maxLength: 4 }));
  fc.assert(fc.property(groups, fc.boolean(), (groups, skipSpecial) => {
    const stream = new TextStream(spellings, { skipSpecial });
    const deltas = groups.map((group) => stream.push(group));
    strictEqual(
      deltas.join("") + stream.finish(),
      decodeWhole(groups.flat(), skipSpecial),
    );
  }));
});

Deno.test("push() never emits part of a character", () => {
  const text = fc.string({ unit: "binary", minLength: 1 });
  fc.assert(fc.property(text, (text) => {
    const stream = new TextStream(spellings, { skipSpecial: true });
    let sent = "";
    for (const byte of new TextEncoder().encode(text)) {
      sent += stream.push([byte]);
      strictEqual(text.startsWith(sent) && sent.isWellFormed(), true);
    }
    strictEqual(sent, text);
    strictEqual(stream.finish(), "");
  }));
});

Deno.test("finish() replaces a character that stays incomplete", () => {
  const stream = new TextStream(spellings, { skipSpecial: true });
  strictEqual(stream.push([0x61, 256]), "a");
  strictEqual(stream.finish(), "\ufffd");
});

Deno.test("push() joins halves around a special token only if it skips it", () => {
  const tokens = [256, 300, 257];
  const skipping = new TextStream(spellings, { skipSpecial: true });
  strictEqual(skipping.push(tokens) + skipping.finish(), "é");
  const showing = new TextStream(spellings, { skipSpecial: false });
  strictEqual(
    showing.push(tokens) + showing.finish(),
    "\ufffd<|a|>\ufffd",
  );
});

Deno.test("push() keeps a byte order mark", () => {
  const stream = new TextStream(spellings, { skipSpecial: true });
  strictEqual(stream.push([0xef, 0xbb, 0xbf, 0x61]), "\ufeffa");
});

Deno.test("push() refuses a token that does not exist", () => {
  const stream = new TextStream(spellings, { skipSpecial: true });
  for (const token of [-1, ends.length, 302]) {
    throws(() => stream.push([token]), RangeError);
  }
});
