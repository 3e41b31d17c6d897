/**
 * The outbound requests to hosts that a client has named.
 *
 * ```text
 * URL ─▶ https? ─▶ resolve ─▶ all addresses public? ─▶ connect to one of them
 * ```
 *
 * The request connects to the checked address, so that a later DNS answer
 * cannot redirect it. Redirects are not followed here, so that each is checked
 * in the same way. No connection is reused.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { isIP } from "node:net";
import { isPublicAddress } from "./public_address.ts";
import type { Post } from "../jobs/deliveries.ts";

/** The network of outbound requests. */
export interface OutboundNetwork {
  /** Returns all addresses of a host. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Returns true if an address may be connected to. */
  readonly allows: (address: string) => boolean;
  /** Certificate authorities as PEM; undefined for the system's. */
  readonly ca: string | undefined;
}

/** The internet without private addresses. */
export const INTERNET: OutboundNetwork = {
  resolve: async (host) =>
    (await lookup(host, { all: true })).map(({ address }) => address),
  allows: isPublicAddress,
  ca: undefined,
};

/** An outbound request. */
export interface OutboundRequest {
  /** HTTP method. */
  readonly method: "GET" | "POST";
  /** Headers without `Host`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body; undefined for none. */
  readonly body?: Uint8Array | undefined;
}

/** An answer whose body is still to be read. */
export interface OutboundAnswer extends Disposable {
  /** HTTP status. */
  readonly status: number;
  /** `Location` of a redirect. */
  readonly location: string | undefined;
  /** Stated length of the body, in bytes. */
  readonly length: number | undefined;
  /** Body, part by part. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** A host that may not or cannot be connected to. */
export class OutboundError extends Error {
  /**
   * Creates the error.
   *
   * @param message The fault, without any answer of an internal network.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OutboundError";
  }
}

/**
 * Sends a request to the host of `url`.
 *
 * @throws {OutboundError} If the host may not or cannot be connected to.
 * @throws {Error} The signal's reason if it aborts.
 */
export async function sendOutbound(
  network: OutboundNetwork,
  url: URL,
  request: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  signal.throwIfAborted();
  if (url.protocol !== "https:" || url.username + url.password !== "") {
    throw new OutboundError("only https URLs without credentials are allowed");
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const address = await allowedAddress(network, host, signal);
  const message = await send(network, { url, host, address }, request, signal);
  const length = Number(message.headers["content-length"] ?? NaN);
  return {
    status: message.statusCode ?? 0,
    location: message.headers.location,
    length: Number.isSafeInteger(length) ? length : undefined,
    body: bodyOf(message, signal),
    [Symbol.dispose]: () => void message.destroy(),
  };
}

/** Returns one of the host's addresses if all of them are allowed. */
async function allowedAddress(
  { resolve, allows }: OutboundNetwork,
  host: string,
  signal: AbortSignal,
): Promise<string> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop);
  let addresses: readonly string[];
  try {
    addresses = await Promise.race([resolve(host), aborted]);
  } catch (cause) {
    signal.throwIfAborted();
    // The existence of a name is a secret of its network.
    throw new OutboundError(NOT_PUBLIC, { cause });
  } finally {
    signal.removeEventListener("abort", stop);
  }
  // IPv4 first: containers often have no other.
  const [first] = addresses.toSorted((a, b) => isIP(a) - isIP(b));
  if (first === undefined || !addresses.every(allows)) {
    throw new OutboundError(NOT_PUBLIC);
  }
  return first;
}

const NOT_PUBLIC = "its host has no public address";
const UNREACHABLE = "its host cannot be reached by https";

function send(
  { ca }: OutboundNetwork,
  place: {
    readonly url: URL;
    readonly host: string;
    readonly address: string;
  },
  { method, headers, body }: OutboundRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { url, host, address } = place;
  return new Promise((resolve, reject) => {
    const sent = request({
      host: address,
      port: url.port || 443,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { ...headers, host: url.host },
      // The certificate must be the host's, not the address's.
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== undefined && { ca }),
      agent: false,
      signal,
    }, (message) => {
      // An error after the reader disconnects has no effect.
      message.on("error", () => undefined);
      resolve(message);
    });
    sent.on("error", (cause) =>
      reject(
        signal.aborted
          ? signal.reason
          : new OutboundError(UNREACHABLE, { cause }),
      ));
    sent.end(body);
  });
}

async function* bodyOf(
  message: IncomingMessage,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* message;
  } catch (cause) {
    signal.throwIfAborted();
    throw new OutboundError("its host closed the connection early", { cause });
  }
}

/**
 * Returns a function that posts to hosts of `network`; it follows no redirect,
 * and reads no answer.
 */
export function postOutbound(network: OutboundNetwork): Post {
  return async (url, headers, text, signal) => {
    const body = new TextEncoder().encode(text);
    const request = { method: "POST", headers, body } as const;
    using answer = await sendOutbound(network, new URL(url), request, signal);
    return answer.status;
  };
}
