/**
 * The reader of a stream's chunks into reused memory.
 *
 * @module
 */

/** A reader of chunks. */
export interface ChunkReader {
  /**
   * Returns the next bytes, valid until the next read; undefined at the end.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Cancels the rest of the stream. */
  cancel(reason?: unknown): Promise<void>;
}

/** Approximate bytes that a connection delivers at once. */
const CHUNK_BYTES = 2 ** 18;

/** Returns a reader of `stream`, which must be its only one. */
export function chunkReader(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): ChunkReader {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    // A stream of arrays, as plain streams are, not a byte stream.
    return arrayReader(stream.getReader());
  }
  let memory = new ArrayBuffer(CHUNK_BYTES);
  return {
    read: async () => {
      const { value } = await reader.read(new Uint8Array(memory));
      if (value === undefined) return undefined;
      memory = value.buffer;
      return value.length === 0 ? undefined : value;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

function arrayReader(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): ChunkReader {
  return {
    read: async () => (await reader.read()).value,
    cancel: (reason) => reader.cancel(reason),
  };
}
