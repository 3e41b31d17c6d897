/**
 * The joining of PNGs into an animation (APNG), and its splitting: compressed
 * pixels are copied, only the chunks around them are written.
 *
 * ```text
 * IHDR acTL │ fcTL IDAT… │ fcTL fdAT… │ … IEND
 *           │ frame 0    │ frame 1    │
 * ```
 *
 * @see https://www.w3.org/TR/png-3/#apng-frame-based-animation
 *
 * @module
 */

// @ts-check

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** CRC-32 of each byte value (PNG). */
const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  }
  return crc >>> 0;
});

/**
 * @typedef {object} Frame
 * @property {Uint8Array} png PNG of the same size and color type as the others.
 * @property {number} ms Duration in milliseconds, below 65,536.
 */

/**
 * @param {readonly Frame[]} frames Frames, at least one; repeated forever.
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {RangeError} If they differ in size or color type.
 */
export function apngOf(frames) {
  const read = frames.map(({ png, ms }) => ({ ...partsOf(png), ms }));
  const [first] = read;
  if (first === undefined || read.some(({ head }) => !same(head, first.head))) {
    throw new RangeError("Cannot join frames: expected PNGs of one size");
  }
  let sequence = 0;
  const chunks = [
    chunk("IHDR", first.head),
    chunk("acTL", words(frames.length, 0)),
  ];
  for (const [i, { head, data, ms }] of read.entries()) {
    chunks.push(chunk("fcTL", control(sequence++, head, ms)));
    for (const part of data) {
      chunks.push(
        i === 0
          ? chunk("IDAT", part)
          : chunk("fdAT", joined([words(sequence++), part])),
      );
    }
  }
  return joined([
    Uint8Array.from(SIGNATURE),
    ...chunks,
    chunk("IEND", new Uint8Array()),
  ]);
}

/**
 * Splits an animation of whole frames, as this project writes it.
 *
 * @param {Uint8Array} apng
 * @returns {{ png: Uint8Array<ArrayBuffer>, ms: number }[]} Frames; a still
 *   picture is one frame of no duration.
 */
export function framesOfApng(apng) {
  let head = new Uint8Array();
  /** @type {{ data: Uint8Array[], ms: number }[]} */
  const frames = [];
  for (const { kind, content } of chunksOf(apng)) {
    if (kind === "IHDR") head = content;
    if (kind === "fcTL") {
      const view = new DataView(content.buffer);
      const ms = 1000 * view.getUint16(20) / (view.getUint16(22) || 100);
      frames.push({ data: [], ms });
    }
    if (kind === "IDAT" && frames.length === 0) {
      frames.push({ data: [], ms: 0 });
    }
    if (kind === "IDAT") frames.at(-1)?.data.push(content);
    // A sequence number precedes the data of later frames.
    if (kind === "fdAT") frames.at(-1)?.data.push(content.slice(4));
  }
  return frames.map(({ data, ms }) => ({
    ms,
    png: joined([
      Uint8Array.from(SIGNATURE),
      chunk("IHDR", head),
      ...data.map((part) => chunk("IDAT", part)),
      chunk("IEND", new Uint8Array()),
    ]),
  }));
}

/**
 * @param {Uint8Array} png
 * @returns {{ head: Uint8Array, data: Uint8Array[] }} IHDR and IDATs.
 */
function partsOf(png) {
  let head = new Uint8Array();
  const data = [];
  for (const { kind, content } of chunksOf(png)) {
    if (kind === "IHDR") head = content;
    if (kind === "IDAT") data.push(content);
  }
  return { head, data };
}

/**
 * Yields the chunks of a PNG.
 *
 * @param {Uint8Array} png
 */
function* chunksOf(png) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = SIGNATURE.length; at + 12 <= png.length;) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...png.subarray(at + 4, at + 8));
    yield { kind, content: png.slice(at + 8, at + 8 + length) };
    at += 12 + length;
  }
}

/**
 * @param {number} sequence
 * @param {Uint8Array} head
 * @param {number} ms
 */
function control(sequence, head, ms) {
  const content = new Uint8Array(26);
  const view = new DataView(content.buffer);
  view.setUint32(0, sequence);
  // Width and height; the offset is zero, and the previous frame is replaced.
  content.set(head.subarray(0, 8), 4);
  view.setUint16(20, ms);
  view.setUint16(22, 1000);
  return content;
}

/**
 * @param {string} kind
 * @param {Uint8Array} content
 */
function chunk(kind, content) {
  const named = joined([
    Uint8Array.from(kind, (letter) => letter.charCodeAt(0)),
    content,
  ]);
  let crc = 0xffffffff;
  for (const byte of named) {
    crc = (CRCS[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return joined([words(content.length), named, words(~crc >>> 0)]);
}

/** @param {...number} values Numbers, four bytes each. */
function words(...values) {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value);
  return bytes;
}

/** @param {readonly Uint8Array[]} parts */
function joined(parts) {
  const all = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function same(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
