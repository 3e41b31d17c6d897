/**
 * The fetcher of pictures that a request names by URL.
 *
 * All pictures of a request count as its body: together they are limited in
 * bytes and in time. The bytes of all requests at once are bounded as well, and
 * shared fairly by their callers.
 *
 * @module
 */

import { FairShare } from "../../lib/async/fair_share.ts";
import { OverloadedError } from "../../lib/errors.ts";
import {
  OutboundError,
  type OutboundNetwork,
  sendOutbound,
} from "./request.ts";
import type { Tools } from "../models/ports.ts";
import { invalidField } from "../http/errors/errors.ts";

/** The maximum number of consecutive redirects. */
const MAX_REDIRECTS = 3;

/** The number of pictures that one request fetches at once. */
const AT_ONCE = 4;

/** The time limit for all pictures of a request, in milliseconds. */
const TIME_MS = 30_000;

const MAX_URL_LENGTH = 8192;

const HEADERS = {
  accept: "image/png, image/jpeg, image/webp, image/gif",
  "accept-encoding": "identity",
  "user-agent": "emu3",
};

/** The limits of fetching. */
export interface FetchOptions {
  /** Maximum bytes of all pictures of a request together. */
  readonly maxBytes: number;
  /** Time for all pictures of a request, in milliseconds. */
  readonly timeMs?: number;
}

/**
 * The bytes of one caller's fetched pictures, in bodies of the maximum size.
 */
const MAX_BODIES = 3;

/**
 * The Retry-After seconds: fetched pictures are likely to be decoded by then.
 */
const RETRY_S = 5;

/** The remaining limits of a request. */
interface FetchAllowance {
  bytes: number;
  /** Number of running fetches. */
  active: number;
  readonly waiting: (() => void)[];
  /** Signal of the request's end, or of its time limit. */
  readonly signal: AbortSignal;
}

/** The limits that one fetch counts against. */
interface Fetching {
  readonly allowance: FetchAllowance;
  /** Takes bytes from the share of all requests; throws if none are left. */
  readonly take: (length: number) => void;
}

/** Returns a fetcher of pictures from `network`. */
export function pictureFetcher(
  network: OutboundNetwork,
  { maxBytes, timeMs = TIME_MS }: FetchOptions,
): NonNullable<Tools["fetchPicture"]> {
  // A request is identified by its signal, and released with it.
  const allowances = new WeakMap<AbortSignal, FetchAllowance>();
  const total = new FairShare(MAX_BODIES * maxBytes);
  return async (text, pointer, { signal, caller = "" }) => {
    let allowance = allowances.get(signal);
    if (allowance === undefined) {
      allowance = {
        bytes: maxBytes,
        active: 0,
        waiting: [],
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeMs)]),
      };
      allowances.set(signal, allowance);
    }
    await turn(allowance);
    let taken = 0;
    const release = () => {
      total.release(caller, taken);
      taken = 0;
    };
    const take = (length: number) => {
      if (!total.take(caller, length)) {
        throw new OverloadedError(RETRY_S, "too many images are being fetched");
      }
      taken += length;
    };
    try {
      const bytes = await follow(network, text, { allowance, take });
      return { bytes, [Symbol.dispose]: release };
    } catch (cause) {
      release();
      signal.throwIfAborted();
      throw invalidField(pointer, `cannot be fetched: ${reason(cause)}`, {
        cause,
      });
    } finally {
      const next = allowance.waiting.shift();
      // The next waiting fetch takes over the turn.
      if (next === undefined) allowance.active--;
      else next();
    }
  };
}

async function turn(allowance: FetchAllowance): Promise<void> {
  if (allowance.active < AT_ONCE) {
    allowance.active++;
    return;
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  allowance.waiting.push(resolve);
  await promise;
}

async function follow(
  network: OutboundNetwork,
  text: string,
  { allowance, take }: Fetching,
): Promise<Uint8Array<ArrayBuffer>> {
  let url = urlFrom(text, undefined);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const request = { method: "GET", headers: HEADERS } as const;
    using answer = await sendOutbound(network, url, request, allowance.signal);
    const { status, location } = answer;
    if (status >= 300 && status < 400 && location !== undefined) {
      url = urlFrom(location, url);
      continue;
    }
    if (status !== 200) {
      throw new OutboundError(`its server responds with status ${status}`);
    }
    if ((answer.length ?? 0) > allowance.bytes) {
      throw new OutboundError(TOO_LARGE);
    }
    return await read(answer.body, { allowance, take });
  }
  throw new OutboundError(`it redirects more than ${MAX_REDIRECTS} times`);
}

const TOO_LARGE = "it is larger than MAX_BODY_BYTES";

async function read(
  body: AsyncIterable<Uint8Array>,
  { allowance, take }: Fetching,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of body) {
    allowance.bytes -= part.length;
    if (allowance.bytes < 0) throw new OutboundError(TOO_LARGE);
    take(part.length);
    parts.push(new Uint8Array(part));
  }
  return await new Blob(parts).bytes();
}

function urlFrom(text: string, base: URL | undefined): URL {
  const url = text.length <= MAX_URL_LENGTH
    ? URL.parse(text, base?.href)
    : null;
  if (url === null) throw new OutboundError("it is not a URL");
  return url;
}

function reason(error: unknown): string {
  if (error instanceof OutboundError) return error.message;
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return "the download timed out";
  }
  throw error;
}
