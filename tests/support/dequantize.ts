/**
 * The inverse of quantization.
 *
 * @module
 */

/** Computes `(code - 2^(bits - 1)) · scale` for consecutive blocks. */
export function dequantize(
  codes: Uint8Array,
  scales: Float32Array,
  bits: 4 | 8,
): Float32Array {
  const length = codes.length * 8 / bits;
  const blockSize = length / scales.length;
  return Float32Array.from({ length }, (_, i) => {
    const byte = codes[bits === 8 ? i : i >> 1]!;
    const code = bits === 8 ? byte : (i & 1 ? byte >> 4 : byte & 15);
    return (code - 2 ** (bits - 1)) * scales[Math.floor(i / blockSize)]!;
  });
}
