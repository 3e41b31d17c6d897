/**
 * The messages between the picture codec and its threads.
 *
 * Deno's `node:worker_threads` copies a typed array element by element: ten
 * million take over a second. Plain buffers are transferred at once, so arrays
 * are packed as buffers here and unpacked on arrival.
 *
 * @module
 */

/** A value without typed arrays, and the buffers in it to transfer. */
export interface PackedMessage {
  /** The packed value, for {@linkcode unpack}. */
  readonly packed: unknown;
  /** Buffers for the transfer list; each belongs to the message alone. */
  readonly buffers: ArrayBuffer[];
}

/**
 * Packs `value` as a message.
 *
 * @param value Value of plain objects, arrays, bytes, pixels and primitives.
 * @param options `move` transfers arrays that fill their buffer and that the
 * sender no longer uses; all others are copied.
 */
export function pack(
  value: unknown,
  { move = false }: { readonly move?: boolean } = {},
): PackedMessage {
  const buffers: ArrayBuffer[] = [];
  const packOne = (one: unknown): unknown => {
    if (one instanceof Uint8Array || one instanceof Uint8ClampedArray) {
      const buffer = move && isWhole(one) && !buffers.includes(one.buffer)
        ? one.buffer
        : new Uint8Array(one).buffer;
      buffers.push(buffer);
      const clamped = one instanceof Uint8ClampedArray;
      return { buffer, clamped } satisfies PackedArray;
    }
    return mapValues(one, packOne);
  };
  return { packed: packOne(value), buffers };
}

/**
 * Returns true if an array fills its buffer. WebAssembly memory cannot be
 * transferred, but no array covers all of it.
 */
function isWhole(
  array: Uint8Array | Uint8ClampedArray,
): array is (Uint8Array | Uint8ClampedArray) & { buffer: ArrayBuffer } {
  return array.buffer instanceof ArrayBuffer &&
    array.byteLength === array.buffer.byteLength;
}

/** Returns the value that was passed to {@linkcode pack}. */
export function unpack(packed: unknown): unknown {
  if (!isPackedArray(packed)) return mapValues(packed, unpack);
  const { buffer, clamped } = packed;
  return clamped ? new Uint8ClampedArray(buffer) : new Uint8Array(buffer);
}

/** A typed array in its packed form. */
interface PackedArray {
  readonly buffer: ArrayBuffer;
  /** True if it holds pixels, not bytes. */
  readonly clamped: boolean;
}

function isPackedArray(value: unknown): value is PackedArray {
  return isRecord(value) && value.buffer instanceof ArrayBuffer;
}

/**
 * Returns `value` with `change` applied to its children; itself if it has none.
 */
function mapValues(
  value: unknown,
  change: (inner: unknown) => unknown,
): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, change(inner)]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
