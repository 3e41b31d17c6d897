/**
 * The text chunks of a PNG, by keyword.
 *
 * ```text
 * tEXt  keyword 0 text                                      in Latin-1
 * iTXt  keyword 0 flag method language 0 translated 0 text  in UTF-8, packed where flag is 1
 * ```
 *
 * @module
 */

// @ts-check

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Limit of a text, above any that this project writes; larger ones are ignored.
 */
const MAX_TEXT_BYTES = 2 ** 20;

/**
 * @typedef {{ height: number, width: number, texts: Record<string, string> }} PngFacts
 */

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<PngFacts | undefined>} Undefined if the bytes are no PNG.
 */
export async function readPng(bytes) {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** @type {PngFacts} */
  const facts = { height: 0, width: 0, texts: {} };
  let at = SIGNATURE.length;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    const kind = latin(bytes.subarray(at + 4, at + 8));
    const end = at + 8 + length;
    if (end + 4 > bytes.length) break;
    const chunk = bytes.subarray(at + 8, end);
    if (kind === "IHDR" && length >= 8) {
      facts.width = view.getUint32(at + 8);
      facts.height = view.getUint32(at + 12);
    }
    const text = kind === "tEXt"
      ? plainText(chunk)
      : kind === "iTXt"
      ? await internationalText(chunk)
      : undefined;
    if (text !== undefined) facts.texts[text.keyword] = text.text;
    if (kind === "IEND") break;
    at = end + 4;
  }
  return facts.width > 0 && facts.height > 0 ? facts : undefined;
}

/** @param {Uint8Array<ArrayBuffer>} chunk */
function plainText(chunk) {
  const end = chunk.indexOf(0);
  if (end < 1) return undefined;
  return {
    keyword: latin(chunk.subarray(0, end)),
    text: latin(chunk.subarray(end + 1)),
  };
}

/** @param {Uint8Array<ArrayBuffer>} chunk */
async function internationalText(chunk) {
  const end = chunk.indexOf(0);
  const packed = chunk[end + 1] === 1;
  const language = chunk.indexOf(0, end + 3);
  const translated = language < 0 ? -1 : chunk.indexOf(0, language + 1);
  if (end < 1 || translated < 0) return undefined;
  const rest = chunk.subarray(translated + 1);
  const bytes = packed ? await unpacked(rest) : rest;
  if (bytes === undefined) return undefined;
  return {
    keyword: latin(chunk.subarray(0, end)),
    text: new TextDecoder().decode(bytes),
  };
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Uint8Array | undefined>} Undefined if the data cannot be
 *   inflated.
 */
async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream("deflate"));
  /** @type {Uint8Array[]} */
  const parts = [];
  let length = 0;
  try {
    for await (const part of stream) {
      length += part.length;
      if (length > MAX_TEXT_BYTES) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @param {Uint8Array} bytes */
function latin(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
