/**
 * The paced body: an answer that is generated as fast as it is read, and ends
 * when its reader stalls.
 *
 * A piece is generated once the previous one was read, so at most one piece and
 * the socket's buffer are unsent.
 *
 * @module
 */

/** Bytes of a piece. */
export const PIECE_BYTES = 2 ** 16;

/**
 * Time without reading after which a reader counts as disconnected, in
 * milliseconds.
 */
export const STALLED_MS = 60_000;

/** Returns the abort reason of a reader that disconnects. */
export function readerLeft(): DOMException {
  return new DOMException("the reader disconnected", "AbortError");
}

/** Options of a paced body. */
export interface Pacing {
  /**
   * Time without reading after which the reader counts as gone, in
   * milliseconds.
   */
  readonly stalledMs?: number;
  /** Called when the reader disconnects, before {@linkcode Pacing.onEnd}. */
  readonly onLeft?: () => void;
  /** Called once, after the last piece. */
  readonly onEnd: () => void;
}

/** The pieces of a body. */
export type Pieces = Iterator<Uint8Array> | AsyncIterator<Uint8Array>;

/** Returns a body of `pieces`, each made when the reader is ready for it. */
export function pacedBody(
  pieces: Pieces,
  { stalledMs = STALLED_MS, onLeft, onEnd }: Pacing,
): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  let left = false;
  const end = () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    onEnd();
  };
  const leave = async () => {
    if (over || left) return;
    left = true;
    clearTimeout(timer);
    onLeft?.();
    try {
      await pieces.return?.();
    } finally {
      end();
    }
  };
  const wait = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    timer = setTimeout(() => {
      controller.error(readerLeft());
      leave().catch(() => undefined);
    }, stalledMs);
  };
  return new ReadableStream<Uint8Array>({
    start: wait,
    pull: async (controller) => {
      clearTimeout(timer);
      try {
        const { done, value } = await pieces.next();
        if (left) return;
        if (done) {
          controller.close();
          end();
          return;
        }
        controller.enqueue(value);
        wait(controller);
      } catch (error) {
        if (left) return;
        controller.error(error);
        end();
      }
    },
    cancel: leave,
  }, { highWaterMark: 0 });
}

/** Yields `bytes` piece by piece; nothing is copied. */
export function* piecesOfBytes(
  bytes: Uint8Array,
): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield bytes.subarray(at, at + PIECE_BYTES);
  }
}

/** Yields `text` in UTF-8 piece by piece: it is encoded on demand. */
export function* piecesOfText(
  text: string,
): Generator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + PIECE_BYTES, text.length);
    // Surrogate pairs are not split.
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end++;
    yield encoder.encode(text.slice(at, end));
    at = end;
  }
}

/** Yields `bytes` in base64 piece by piece. */
export function* piecesOfBase64(
  bytes: Uint8Array,
): Generator<Uint8Array, void, undefined> {
  // Whole groups of three bytes, so that only the last piece is padded.
  const step = 3 * PIECE_BYTES / 4;
  const encoder = new TextEncoder();
  for (let at = 0; at < bytes.length; at += step) {
    yield encoder.encode(bytes.subarray(at, at + step).toBase64());
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
