/**
 * The HTTP/1.1 connection: one request after another, with bodies read into the
 * caller's own memory.
 *
 * ```text
 * open ─▶ request ─▶ head ─▶ body ─▶ request ─▶ …
 * ```
 *
 * `fetch` copies each byte once more and delivers smaller pieces. A response
 * that this client does not support, such as one with a chunked body, is
 * delegated to `fetch`.
 *
 * Ranges and redirects are the caller's concern.
 *
 * @module
 */

/** The head of a response. */
export interface AnswerHead {
  /** Status code, such as 206. */
  readonly status: number;
  /** Headers of the response. */
  readonly headers: Headers;
  /** Bytes of the body. */
  readonly length: number;
  /** True if the connection takes another request after the body. */
  readonly stays: boolean;
}

/** Bytes of a head; longer heads are rejected. */
const MAX_HEAD_BYTES = 2 ** 16;

/** Bytes short of a full read that are not worth another read. */
const RECORD_BYTES = 2 ** 14;

/** Milliseconds for which a read that has some bytes waits for more. */
const GATHER_MS = 20;

/** A connection; it either reads a body or sends a request. */
export class HttpConnection implements Disposable {
  readonly #socket: Deno.Conn;
  /** Bytes that came with a head and belong to the body. */
  #rest = new Uint8Array(0);
  #closed = false;

  private constructor(socket: Deno.Conn) {
    this.#socket = socket;
  }

  /** Connects to the server of `url`, over TLS for https. */
  static async open(
    url: URL,
    signal: AbortSignal | undefined,
  ): Promise<HttpConnection> {
    const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const secure = url.protocol === "https:";
    const port = Number(url.port) || (secure ? 443 : 80);
    const socket = await Deno.connect({
      hostname,
      port,
      ...signal === undefined ? {} : { signal },
    });
    return new HttpConnection(
      secure
        ? await Deno.startTls(socket, { hostname, alpnProtocols: ["http/1.1"] })
        : socket,
    );
  }

  /**
   * Sends a request for `url`.
   *
   * @returns The head; undefined when the response is not plain, after which
   * the connection is unusable.
   * @throws {Error} When no response comes.
   */
  async request(url: URL, headers: Headers): Promise<AnswerHead | undefined> {
    const lines = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `host: ${url.host}`,
      ...[...headers].map(([name, value]) => `${name}: ${value}`),
    ];
    await this.#write(bytesOf(`${lines.join("\r\n")}\r\n\r\n`));
    for (;;) {
      const text = await this.#readHead();
      if (text === undefined) return undefined;
      // Interim responses such as 103 are skipped.
      if (!/^HTTP\/1\.1 1(?!01)/.test(text)) return parseHead(text);
    }
  }

  /**
   * Reads into `memory` the bytes that are there, at least one.
   *
   * @returns Number of bytes read; 0 at the end.
   */
  async read(memory: Uint8Array): Promise<number> {
    if (this.#rest.length > 0) {
      const some = this.#rest.subarray(0, memory.length);
      memory.set(some);
      this.#rest = this.#rest.subarray(some.length);
      return some.length;
    }
    return await this.#socket.read(memory) ?? 0;
  }

  /** Closes the connection, and aborts pending reads and writes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#socket.write(bytes.subarray(at));
    }
  }

  /**
   * Reads up to the empty line; returns undefined when the head is too long.
   */
  async #readHead(): Promise<string | undefined> {
    const memory = new Uint8Array(MAX_HEAD_BYTES);
    for (let count = 0; count < memory.length;) {
      const came = await this.read(memory.subarray(count));
      if (came === 0) {
        throw new TypeError("the connection closed before a response");
      }
      count += came;
      const text = latin1.decode(memory.subarray(0, count));
      const end = text.indexOf("\r\n\r\n");
      if (end === -1) continue;
      this.#rest = memory.slice(end + 4, count);
      return text.slice(0, end);
    }
    return undefined;
  }
}

/**
 * Returns the next `length` bytes of `connection` as a stream that reads into
 * the memory of its reader.
 *
 * @param done Called once with true if they were read to the end.
 */
export function bodyOf(
  connection: HttpConnection,
  length: number,
  done: (whole: boolean) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = length;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: 2 ** 16,
    pull: async (controller) => {
      const request = controller.byobRequest!;
      const { buffer, byteOffset, byteLength } = request.view!;
      const memory = new Uint8Array(
        buffer,
        byteOffset,
        Math.min(byteLength, left),
      );
      const count = await gather(connection, memory).catch((error) => {
        done(false);
        throw error;
      });
      left -= count;
      const whole = left === 0;
      if (whole || count === 0) done(whole);
      if (count === 0) {
        throw new TypeError(`the connection closed ${left} bytes early`);
      }
      request.respond(count);
      if (whole) controller.close();
    },
    cancel: () => done(false),
  });
}

/**
 * Reads until `memory` is nearly full or a moment has passed: TLS delivers
 * small records, and each piece costs a write to the disk.
 */
async function gather(
  connection: HttpConnection,
  memory: Uint8Array,
): Promise<number> {
  const begin = performance.now();
  let count = await connection.read(memory);
  // A slow connection reports at once, so that it does not count as stalled.
  while (
    count > 0 && memory.length - count >= RECORD_BYTES &&
    performance.now() - begin < GATHER_MS
  ) {
    // An error here comes again at the next read, after these bytes.
    const came = await connection.read(memory.subarray(count)).catch(() => 0);
    if (came === 0) break;
    count += came;
  }
  return count;
}

/** Parses a head; returns undefined when it is not plain. */
function parseHead(text: string): AnswerHead | undefined {
  const [first, ...lines] = text.split("\r\n");
  const status = Number(/^HTTP\/1\.1 ([2-5]\d\d)(?: |$)/.exec(first!)?.[1]);
  const headers = new Headers();
  for (const line of lines) {
    const field = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (field === null) return undefined;
    try {
      headers.append(field[1]!, field[2]!);
    } catch {
      return undefined;
    }
  }
  const length = headers.get("content-length") ?? "";
  if (
    Number.isNaN(status) || status === 204 || status === 304 ||
    headers.has("transfer-encoding") || !/^\d{1,15}$/.test(length)
  ) {
    return undefined;
  }
  const stays = !/\bclose\b/i.test(headers.get("connection") ?? "");
  return { status, headers, length: Number(length), stays };
}

// Raw bytes: TextDecoder's "latin1" is windows-1252, equal in ASCII.
const latin1 = new TextDecoder("latin1");

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
