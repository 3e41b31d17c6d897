/**
 * One connection on which requests are answered one after another (HTTP/1.1),
 * with bodies read into the reader's own memory.
 *
 * ```text
 * open ─▶ ask ─▶ head ─▶ body ─▶ ask ─▶ …
 * ```
 *
 * `fetch` copies each byte once more and hands them over in smaller pieces. What
 * is not plain enough to be understood here, such as a body in chunks, is left to
 * it.
 *
 * Knows nothing of ranges and redirects.
 *
 * @module
 */

/** The head of an answer. */
export interface AnswerHead {
  /** Such as 206. */
  readonly status: number;
  /** What it says of itself. */
  readonly headers: Headers;
  /** Bytes of the body. */
  readonly length: number;
  /** Whether the connection may be asked again after the body. */
  readonly stays: boolean;
}

/** Heads are shorter. */
const MAX_HEAD_BYTES = 2 ** 16;

/** So much less than a read asks for is not worth another. */
const RECORD_BYTES = 2 ** 14;

/** For how long a read that has some bytes waits for more. */
const GATHER_MS = 20;

/** A connection; it has a body or is asked, never both at once. */
export class HttpConnection implements Disposable {
  readonly #socket: Deno.Conn;
  /** What came with a head and is not of it. */
  #rest = new Uint8Array(0);
  #closed = false;

  private constructor(socket: Deno.Conn) {
    this.#socket = socket;
  }

  /** Connects with the server of `url`; by TLS if that is what it says. */
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
   * Asks for `url`.
   *
   * @returns undefined when the answer is not plain; the connection is of no
   * use then.
   * @throws {Error} When none comes.
   */
  async ask(url: URL, headers: Headers): Promise<AnswerHead | undefined> {
    const lines = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `host: ${url.host}`,
      ...[...headers].map(([name, value]) => `${name}: ${value}`),
    ];
    await this.#write(bytesOf(`${lines.join("\r\n")}\r\n\r\n`));
    for (;;) {
      const text = await this.#readHead();
      if (text === undefined) return undefined;
      // Such as 103, which only announces.
      if (!/^HTTP\/1\.1 1(?!01)/.test(text)) return parseHead(text);
    }
  }

  /**
   * Reads into `memory`: what there is, but at least a byte.
   *
   * @returns How many bytes came; 0 at the end.
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

  /** Ends it, and what is being read or written. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#socket.write(bytes.subarray(at));
    }
  }

  /** Up to the empty line; undefined when there is none for too long. */
  async #readHead(): Promise<string | undefined> {
    const memory = new Uint8Array(MAX_HEAD_BYTES);
    for (let count = 0; count < memory.length;) {
      const came = await this.read(memory.subarray(count));
      if (came === 0) {
        throw new TypeError("the connection ends before an answer");
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
 * The next `length` bytes of `connection` as a stream that reads into the
 * memory of whoever reads it.
 *
 * @param done Hears once whether they were read to the end.
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
        throw new TypeError(`the connection ends ${left} bytes early`);
      }
      request.respond(count);
      if (whole) controller.close();
    },
    cancel: () => done(false),
  });
}

/**
 * Reads until `memory` is about full or a moment is over: TLS gives small
 * records, and each piece costs a write to the disk.
 */
async function gather(
  connection: HttpConnection,
  memory: Uint8Array,
): Promise<number> {
  const begin = performance.now();
  let count = await connection.read(memory);
  // A slow line is told of at once: whoever watches it takes it for dead else.
  while (
    count > 0 && memory.length - count >= RECORD_BYTES &&
    performance.now() - begin < GATHER_MS
  ) {
    // What breaks off now breaks off again, after what has come.
    const came = await connection.read(memory.subarray(count)).catch(() => 0);
    if (came === 0) break;
    count += came;
  }
  return count;
}

/** What a head says; undefined when it is not plain. */
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

// Bytes as they are: "latin1" of this one is windows-1252, alike in ASCII.
const latin1 = new TextDecoder("latin1");

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
