/**
 * The raw server: sends the bytes of a test, valid HTTP or not.
 *
 * @module
 */

/** A connection on the server's side. */
export interface RawConnection {
  /** Index of the connection, from 0. */
  readonly index: number;
  /** Sends `bytes`, or text of one byte per character. */
  send(bytes: Uint8Array | string): Promise<void>;
  /** Closes the connection. */
  close(): void;
}

/** A running server. */
export interface RawServer extends AsyncDisposable {
  /** URL that it listens on. */
  readonly url: URL;
  /** Heads of the requests so far, and the connections they arrived on. */
  readonly seen: readonly {
    readonly connection: number;
    readonly head: string;
  }[];
  /** Count of connections that the client has closed so far. */
  readonly left: number;
}

/** Serves `answer`, which is called with each request. */
export function rawServer(
  answer: (head: string, connection: RawConnection) => Promise<void>,
): RawServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const seen: { connection: number; head: string }[] = [];
  const sockets: Deno.Conn[] = [];
  const serving: Promise<void>[] = [];
  let left = 0;
  const serve = async (socket: Deno.Conn) => {
    const index = sockets.push(socket) - 1;
    const connection = connectionOf(socket, index);
    const memory = new Uint8Array(2 ** 14);
    for (let text = "";;) {
      const count = await socket.read(memory);
      if (count === null) break;
      text += new TextDecoder().decode(memory.subarray(0, count));
      if (!text.includes("\r\n\r\n")) continue;
      seen.push({ connection: index, head: text });
      await answer(text, connection);
      text = "";
    }
    left++;
  };
  const accepting = (async () => {
    for await (const socket of listener) {
      // Tests close connections on either side on purpose.
      serving.push(serve(socket).catch(() => void left++));
    }
  })();
  return {
    url: new URL(`http://127.0.0.1:${listener.addr.port}/file?a=b`),
    seen,
    get left() {
      return left;
    },
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const socket of sockets) hangUp(socket);
      await Promise.all([accepting, ...serving]);
    },
  };
}

function connectionOf(socket: Deno.Conn, index: number): RawConnection {
  return {
    index,
    send: async (given) => {
      const bytes = typeof given === "string"
        ? Uint8Array.from(given, (character) => character.charCodeAt(0))
        : given;
      for (let at = 0; at < bytes.length;) {
        at += await socket.write(bytes.subarray(at));
      }
    },
    close: () => hangUp(socket),
  };
}

function hangUp(socket: Deno.Conn): void {
  try {
    socket.close();
  } catch {
    // The connection is closed.
  }
}
