/**
 * The listener: HTTP/1.1 on a socket, as requests and answers of the Fetch API.
 *
 * `node:http` instead of `Deno.serve`, which aborts `request.signal` for a
 * client that disconnected only if head and body came in one packet of at most
 * some 400 bytes (Deno 2.9.6); here it aborts for every body, as `close` of the
 * response comes before its end.
 *
 * HTTP/2 ends at the proxy in front: no platform needs it behind one, and its
 * second implementation would be reachable by any client.
 *
 * @module
 */

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { FairShare } from "../../../lib/async/fair_share.ts";
import { HEALTH_PATHS } from "../address/route_path.ts";
import { AnswerSender } from "./answer_sender.ts";
import { Dispatcher } from "./dispatcher.ts";
import {
  bodyOf,
  continueWhenRead,
  fetchRequest,
  type IncomingBody,
} from "./fetch_request.ts";
import { type Malformed, malformedAnswer } from "./malformed_request.ts";

/** The connection of a request. */
export interface ConnectionInfo {
  /** The peer's address. */
  readonly remoteAddr: Deno.NetAddr;
  /** Local address of the connection. */
  readonly localAddress?: string;
  /** The error of an invalid target or `Host`. */
  readonly malformed?: Error;
  /** The body; undefined where there is none. */
  readonly body: IncomingBody | undefined;
  /** The controller of the request's signal. */
  readonly abandon: AbortController;
  /** Resolves once the answer has been sent, or the connection closed. */
  readonly sent: Promise<void>;
}

/**
 * A handler that answers a request, whose body is in `connection`; never
 * rejects.
 */
export type Handler = (
  request: Request,
  connection: ConnectionInfo,
) => Response | Promise<Response>;

/** The address to listen on, and the limits of clients. */
export interface ListenOptions {
  /** Address to listen on. */
  readonly hostname: string;
  /** Port to listen on; 0 for any free one. */
  readonly port: number;
  /** Connections that one address alone may hold open. */
  readonly maxConnections: number;
  /** Maximum unread bytes of one address. */
  readonly maxUnsentBytes: number;
  /** Called with each request that cannot be read. */
  readonly onMalformed?: (malformed: Malformed) => void;
}

/** A listening socket. */
export interface Listener {
  /** The bound address. */
  readonly addr: { readonly hostname: string; readonly port: number };
  /** The number of connections with a request that has no whole answer yet. */
  readonly busy: number;
  /** The number of requests since the start. */
  readonly served: number;
  /**
   * Accepts no more connections, and resolves when the last answer has been
   * sent.
   */
  shutdown(): Promise<void>;
}

/** Time for a new connection to send the head of a request, in milliseconds. */
const HEADERS_MS = 20_000;

/**
 * Keep-alive time, longer than that of proxies (Google's load balancer: 600 s).
 */
const KEEP_ALIVE_MS = 620_000;

/** Maximum bytes of a request's head: prompts may be in the query. */
const MAX_HEAD_BYTES = 65_536;

/** Maximum requests that wait on one connection; current clients send one. */
const MAX_PIPELINED = 16;

/** Interval of the check for heads that take too long, in milliseconds. */
const CHECK_MS = 2000;

/**
 * Starts to listen.
 *
 * @throws {Error} The system's error, such as `EADDRINUSE`.
 */
export async function listen(
  handler: Handler,
  options: ListenOptions,
): Promise<Listener> {
  const { onMalformed } = options;
  const sender = new AnswerSender(options.maxUnsentBytes);
  const answer = async (
    incoming: IncomingMessage,
    response: ServerResponse,
  ) => {
    const { socket } = incoming;
    const hostname = socket.remoteAddress ?? "";
    const port = socket.remotePort ?? 0;
    const sent = new Promise<void>((resolve) =>
      response.once("close", () => resolve())
    );
    response.once("finish", () => dropRest(incoming));
    const { request, abandon, malformed } = fetchRequest(incoming, response);
    const connection: ConnectionInfo = {
      remoteAddr: { transport: "tcp", hostname, port },
      ...(socket.localAddress !== undefined &&
        { localAddress: socket.localAddress }),
      ...(malformed !== undefined && { malformed }),
      body: bodyOf(incoming),
      abandon,
      sent,
    };
    const made = await handler(request, connection);
    await sender.send(made, response, hostname);
  };
  const dispatcher = new Dispatcher();
  const serve = (incoming: IncomingMessage, response: ServerResponse) =>
    connections.queue(response, () => {
      const begin = () => {
        // Its client may have disconnected meanwhile, without an event.
        if (incoming.socket.destroyed) return;
        answer(incoming, response).catch(() => response.destroy());
      };
      const [path = ""] = (incoming.url ?? "").split("?");
      dispatcher.run(begin, HEALTH_PATHS.has(path));
    });
  const server = createServer({
    headersTimeout: HEADERS_MS,
    // Without this, the answer would be empty.
    requireHostHeader: false,
    // Bodies and models have their own time limits.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: MAX_HEAD_BYTES,
  }, serve);
  server.on("checkContinue", (incoming, response) => {
    continueWhenRead(incoming, response);
    serve(incoming, response);
  });
  refuseMalformed(server, onMalformed);
  const connections = new Connections(server, options.maxConnections);
  await bind(server, options);
  // A TCP server's address is not a path.
  const { address, port } = server.address() as AddressInfo;
  return {
    addr: { hostname: address, port },
    get busy() {
      return connections.busy;
    },
    get served() {
      return connections.served;
    },
    shutdown: async () => {
      await connections.close();
      sender.close();
    },
  };
}

function bind(
  server: Server,
  { hostname, port }: ListenOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Time for the rest of a body whose request was refused, in milliseconds. */
const REST_MS = 500;

/**
 * Reads the rest of a request for a moment after its answer: closing the
 * connection at once may lose the answer in transit.
 */
function dropRest(incoming: IncomingMessage): void {
  if (incoming.complete) return;
  const timer = setTimeout(() => incoming.socket.destroySoon(), REST_MS);
  incoming.once("end", () => clearTimeout(timer));
  incoming.once("close", () => clearTimeout(timer));
  incoming.resume();
}

/**
 * Answers requests that the parser refuses and `node:http` does not answer.
 */
function refuseMalformed(
  server: Server,
  onMalformed: ListenOptions["onMalformed"],
): void {
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    const malformed: Malformed = error.code === "HPE_HEADER_OVERFLOW"
      ? "head-too-large"
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? "head-too-slow"
      : "malformed-request";
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    onMalformed?.(malformed);
    void writeAnswer(socket, malformedAnswer(malformed));
  });
}

/** Writes `answer` to a socket that has no response of `node:http`. */
async function writeAnswer(socket: Duplex, answer: Response): Promise<void> {
  const body = await answer.bytes();
  const { status } = answer;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...[...answer.headers].map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  socket.end(body);
}

/** The open connections, limited for each address. */
class Connections {
  readonly #server: Server;
  readonly #share: FairShare;
  readonly #sockets = new Set<Socket>();
  /**
   * Requests without a whole answer by connection; the first of each is
   * running.
   */
  readonly #busy = new Map<Socket, (() => void)[]>();
  #closing = false;
  /** Requests since the start. */
  served = 0;

  constructor(server: Server, most: number) {
    this.#server = server;
    this.#share = new FairShare(most);
    server.on("connection", (socket) => this.#admit(socket));
  }

  get busy(): number {
    return this.#busy.size;
  }

  /**
   * Calls `serve` once the answers before it on its connection have been sent:
   * one connection runs one request at a time.
   */
  queue(response: ServerResponse, serve: () => void): void {
    this.served++;
    const { socket } = response.req;
    if (socket.destroyed) return;
    const waiting = this.#busy.get(socket) ?? [];
    if (waiting.length >= MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    waiting.push(serve);
    this.#busy.set(socket, waiting);
    response.once("close", () => {
      waiting.shift();
      const [next] = waiting;
      if (next !== undefined) {
        if (!socket.destroyed) next();
        return;
      }
      this.#busy.delete(socket);
      if (this.#closing) socket.destroySoon();
    });
    if (waiting.length === 1) serve();
  }

  /** Closes idle connections at once, others after their answer. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) =>
      this.#server.close(() => resolve())
    );
    for (const socket of this.#sockets) {
      if (!this.#busy.has(socket)) socket.destroySoon();
    }
    await closed;
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    if (!this.#share.take(address, 1)) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#busy.delete(socket);
      this.#share.release(address, 1);
    });
  }
}
