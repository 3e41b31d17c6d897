/**
 * Codes as NumPy keeps arrays: `.npy`, version 1.0, `<u2`.
 *
 * @module
 */

// @ts-check

/** Where data may begin: on multiples of this, as NumPy writes it. */
const ALIGNMENT = 64;

/** `\x93NUMPY`, and version 1.0. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];

/**
 * @param {Uint16Array} codes
 * @param {readonly number[]} shape `[H, W]` or `[T, H, W]`.
 * @returns {Uint8Array<ArrayBuffer>} A whole file.
 */
export function npyOf(codes, shape) {
  const lengths = shape.join(", ");
  const described =
    `{'descr': '<u2', 'fortran_order': False, 'shape': (${lengths}), }`;
  // Magic and length before it, a line feed behind.
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
