import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  isTruncatedMov,
  videoContainer,
} from "../../../../lib/image/video/container.ts";

/** Returns the bytes of Latin-1 text. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Returns a box of MP4 whose size is stated as `size`. */
function box(type: string, content: string, size = content.length + 8) {
  const bytes = latin1(`\0\0\0\0${type}${content}`);
  new DataView(bytes.buffer).setUint32(0, size);
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("videoContainer() recognizes videos by their first bytes", () => {
  const containers = [
    "\0\0\0\x18ftypisom",
    "\0\0\0\x14ftypqt  ",
    "\0\0\0\x08moov",
    "\0\0\0\x08wide",
    "\x1aE\xdf\xa3\x9fB\x86\x81",
  ].map((head) => videoContainer(latin1(head)));
  deepStrictEqual(containers, ["mov", "mov", "mov", "mov", "matroska"]);
});

Deno.test("videoContainer() recognizes no picture, playlist or text", () => {
  const others = [
    "",
    "\x89PNG\r\n\x1a\n",
    "GIF89a",
    "\0\0\0\x1cftypavif",
    "\0\0\0\x1cftypavis",
    "\0\0\0\x18ftypheic",
    "\0\0\0\x18ftypmif1",
    "#EXTM3U\nfile:///etc/hostname\n",
    "ffconcat version 1.0\nfile /etc/hostname\n",
    '<?xml version="1.0"?><MPD/>',
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
    "RIFF\0\0\0\0AVI ",
  ];
  for (const head of others) {
    strictEqual(videoContainer(latin1(head)), undefined, head);
  }
});

Deno.test("isTruncatedMov() is true if and only if a box ends after the file", () => {
  const ftyp = box("ftyp", "isom");
  const whole = joined(ftyp, box("moov", "12345"));
  strictEqual(isTruncatedMov(whole), false);
  for (let length = ftyp.length + 8; length < whole.length; length++) {
    strictEqual(isTruncatedMov(whole.subarray(0, length)), true);
  }
});

Deno.test("isTruncatedMov() reads sizes of 64 bits, and 0 as the rest", () => {
  const long = (size: bigint, content: string) => {
    const bytes = box("mdat", `\0\0\0\0\0\0\0\0${content}`, 1);
    new DataView(bytes.buffer).setBigUint64(8, size);
    return bytes;
  };
  strictEqual(isTruncatedMov(long(19n, "abc")), false);
  strictEqual(isTruncatedMov(long(20n, "abc")), true);
  strictEqual(isTruncatedMov(long(2n ** 63n, "abc")), true);
  strictEqual(isTruncatedMov(box("mdat", "", 1)), true);
  strictEqual(isTruncatedMov(box("mdat", "rest of the file", 0)), false);
});

Deno.test("isTruncatedMov() ignores bytes after the last box", () => {
  const padded = joined(box("moov", "12345"), latin1("\0\0\0\x03trailing"));
  strictEqual(isTruncatedMov(padded), false);
  strictEqual(isTruncatedMov(joined(box("moov", "1"), latin1("abc"))), false);
});
