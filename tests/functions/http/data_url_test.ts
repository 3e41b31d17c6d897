import { deepStrictEqual, rejects } from "node:assert/strict";
import fc from "fast-check";
import { decodeDataUrl } from "../../../functions/http/data_url.ts";
import { SLICE } from "../../../functions/metrics/event_loop.ts";

/** Bytes whose base64 has every special character. */
const bytes = Uint8Array.of(0xfb, 0xff, 0xbf, 0xfe, 0x3e, 0x3f, 0);
const base64 = bytes.toBase64();
const urlSafe = bytes.toBase64({ alphabet: "base64url" });

/** Bytes with the escapes that a URL needs, and others. */
function escaped(data: Uint8Array, keep: (byte: number) => boolean): string {
  return [...data].map((byte) =>
    keep(byte)
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).padStart(2, "0")}`
  ).join("");
}

Deno.test("decodeDataUrl() reads base64 as clients write it", async () => {
  deepStrictEqual([base64.includes("+"), base64.includes("/")], [true, true]);
  const padded = encodeURIComponent(base64);
  for (
    const data of [
      base64,
      urlSafe,
      urlSafe.replaceAll("=", ""),
      base64.replaceAll("=", ""),
      padded,
      padded.toLowerCase().includes("%2b") ? padded.replace("%2B", "%2b") : "",
      base64.replace("+", "-"),
      `${base64.slice(0, 3)}\r\n ${base64.slice(3)}\n`,
      `${base64.slice(0, 3)}%0A%20${base64.slice(3)}`,
    ]
  ) {
    for (
      const start of [
        "",
        "data:;base64,",
        "data:image/png;base64,",
        "DATA:image/png;BASE64,",
        " \ndata:image/png; base64 ,",
        "data:image/png;charset=utf-8;base64,",
        "data:image/png;base64;charset=utf-8,",
        "data:image/png;name=a.png;base64;x=y,",
      ]
    ) {
      deepStrictEqual(await decodeDataUrl(start + data), bytes, start + data);
    }
  }
  deepStrictEqual(await decodeDataUrl(`data:;base64,${base64}#part`), bytes);
});

Deno.test("decodeDataUrl() reads percent-encoded bytes", async () => {
  const letters = (byte: number) => byte >= 0x41 && byte <= 0x5a;
  await fc.assert(fc.asyncProperty(fc.uint8Array(), async (data) => {
    for (const keep of [letters, () => false]) {
      const text = escaped(data, keep);
      deepStrictEqual(await decodeDataUrl(`data:image/png,${text}`), data);
      deepStrictEqual(
        await decodeDataUrl(`data:image/png;charset=utf-8,${text}#a`),
        data,
      );
    }
  }));
  const text = new TextEncoder();
  for (const odd of ["%", "%4", "%zz1", "100%", "é", "%%41"]) {
    deepStrictEqual(
      await decodeDataUrl(`data:,${odd}`),
      text.encode(odd.replace("%41", "A")),
      odd,
    );
  }
});

Deno.test("decodeDataUrl() decodes long texts, wherever slices end", async () => {
  const long = new Uint8Array(SLICE).map((_, i) => 31 * i + (i >> 8));
  for (let shift = 0; shift < 3; shift++) {
    const data = long.subarray(shift);
    const escapes = "%41".repeat(3);
    deepStrictEqual(
      await decodeDataUrl(
        `data:;base64,${data.toBase64({ alphabet: "base64url" })}`,
      ),
      data,
    );
    const plain = "B".repeat(SLICE - 4 + shift);
    deepStrictEqual(
      await decodeDataUrl(`data:,${plain}${escapes}`),
      new TextEncoder().encode(`${plain}AAA`),
    );
  }
});

Deno.test("decodeDataUrl() refuses text that is neither a data URL nor base64", async () => {
  for (
    const wrong of [
      "?",
      "data:image/png;base64",
      "data:image/png;base64,?",
      "data:image/png;base64,A",
      "data:image/png;base64,AA=A",
      "%zz",
      `data:${"a".repeat(2000)},b`,
      "blob:https://example.com/1",
    ]
  ) {
    await rejects(decodeDataUrl(wrong), SyntaxError, wrong);
  }
});
