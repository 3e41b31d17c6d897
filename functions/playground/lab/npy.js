/**
 * The NumPy array format: `.npy`, version 1.0, `<u2`.
 *
 * @module
 */

// @ts-check

/** Alignment of the data, as NumPy writes it. */
const ALIGNMENT = 64;

/** `\x93NUMPY`, and version 1.0. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];

/**
 * @param {Uint16Array} codes
 * @param {readonly number[]} shape Shape, `[H, W]` or `[T, H, W]`.
 * @returns {Uint8Array<ArrayBuffer>} Whole file.
 */
export function npyOf(codes, shape) {
  const lengths = shape.join(", ");
  const described =
    `{'descr': '<u2', 'fortran_order': False, 'shape': (${lengths}), }`;
  // Magic and length precede the header, a line feed ends it.
  const bare = MAGIC.length + 2 + described.length + 1;
  const start = Math.ceil(bare / ALIGNMENT) * ALIGNMENT;
  const header = described + " ".repeat(start - bare) + "\n";
  const file = new Uint8Array(start + codes.length * 2);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint16(MAGIC.length, header.length, true);
  file.set(new TextEncoder().encode(header), MAGIC.length + 2);
  codes.forEach((code, i) => view.setUint16(start + i * 2, code, true));
  return file;
}
