/**
 * Chunks of a stream, in memory that is used again and again.
 *
 * @module
 */

/** What reads chunks. */
export interface ChunkReader {
  /** The next bytes, good until the next read; undefined at the end. */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Gives up the rest. */
  cancel(reason?: unknown): Promise<void>;
}

/** As much as a connection hands over at once, about. */
const CHUNK_BYTES = 2 ** 18;

/** A reader of `stream`, which is its only one. */
export function chunkReader(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): ChunkReader {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    // Not a stream of bytes but of arrays, as those made by hand are.
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
