/**
 * The request-body reader: reads whole bodies before their requests use other
 * resources.
 *
 * ```text
 * socket ─▶ pace (a window) ─▶ share of the caller ─▶ body ─▶ handlers
 * ```
 *
 * A connection that sends slowly, or nothing, therefore uses only the memory of
 * the bytes sent, and does not count toward the concurrency limit. The memory
 * of all bodies is limited and shared fairly by callers.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { delay } from "../../../lib/async/delay.ts";
import { FairShare } from "../../../lib/async/fair_share.ts";
import { OverloadedError } from "../../../lib/errors.ts";
import type { AppEnv } from "../context.ts";
import type { Drain } from "../../middleware/drain.ts";
import type { IncomingBody } from "./fetch_request.ts";
import {
  BodyTooLargeError,
  BodyTooSlowError,
  InterruptedError,
  MalformedBodyError,
} from "../errors/errors.ts";
import { doesWork } from "../address/route_path.ts";

/** The minimum pace of a body. */
export interface Pace {
  /** Time in which a window's bytes must arrive, in milliseconds. */
  readonly windowMs: number;
  /** Bytes a second, over each window. */
  readonly bytesPerSecond: number;
}

/** The default minimum pace; a slower body would hold memory for long. */
export const PACE: Pace = { windowMs: 20_000, bytesPerSecond: 4096 };

/** Limits of bodies. */
export interface BodyLimits {
  /** Maximum bytes of one body. */
  readonly maxBytes: number;
  /** Maximum bytes in flight of the bodies of one caller. */
  readonly callerBytes: number;
}

/** Retry-After seconds for a caller whose share is used up. */
const RETRY_SECONDS = 2;

/** A body that was read. */
interface KeptBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Counts bytes derived from it toward the caller's share. */
  readonly take: (amount: number) => void;
}

/** The bodies that were read, kept as long as their requests. */
const bodies = new WeakMap<Request, KeptBody>();

/**
 * Returns the body that {@linkcode readBodies} has read; undefined if it read
 * none.
 */
export function keptBody(
  request: Request,
): Uint8Array<ArrayBuffer> | undefined {
  return bodies.get(request)?.bytes;
}

/**
 * Counts bytes that the body of `request` decompresses to.
 *
 * @throws {OverloadedError} If the caller's share of all bodies is used up.
 */
export function countBytes(request: Request, amount: number): void {
  bodies.get(request)?.take(amount);
}

/**
 * Returns middleware that reads the whole body of each request that runs a
 * function.
 *
 * @param drain Interrupts unfinished bodies when the server stops.
 * @throws {BodyTooLargeError} If the length exceeds the limit; thrown once it
 * is known.
 * @throws {BodyTooSlowError} If a window ends without its bytes.
 * @throws {OverloadedError} If the caller's share of all bodies is used up.
 */
export function readBodies(
  { maxBytes, callerBytes }: BodyLimits,
  drain: Drain,
): MiddlewareHandler<AppEnv> {
  const share = new FairShare(callerBytes);
  return async (c, next) => {
    const request = c.req.raw;
    const body = c.env?.body ?? request.body;
    const works = doesWork(c.req.method, c.req.path);
    if (!works || body === null) return await next();
    const caller = c.get("caller");
    let taken = 0;
    const release = () => {
      share.release(caller, taken);
      taken = 0;
    };
    const take = (amount: number) => {
      if (!share.take(caller, amount)) {
        throw new OverloadedError(RETRY_SECONDS);
      }
      taken += amount;
    };
    try {
      const bytes = takeWhole(c.env?.body, maxBytes, take) ??
        await readUntilStop(request, maxBytes, { body, take, drain });
      bodies.set(request, { bytes, take });
      await next();
    } finally {
      if (c.get("ended") === undefined) release();
      else c.get("ended")!.then(release);
    }
  };
}

/** Returns a body that has already arrived; undefined if it has not. */
function takeWhole(
  body: IncomingBody | undefined,
  maxBytes: number,
  take: (amount: number) => void,
): Uint8Array<ArrayBuffer> | undefined {
  const whole = body?.whole();
  if (whole === undefined) return undefined;
  if (whole.length > maxBytes) throw new BodyTooLargeError(maxBytes);
  take(whole.length);
  // Parsers cut small bodies out of larger memory.
  return new Uint8Array(whole);
}

/** Reads the body of `request`, unless the server stops meanwhile. */
async function readUntilStop(
  request: Request,
  maxBytes: number,
  { drain, ...options }: {
    readonly body: AsyncIterable<Uint8Array<ArrayBuffer>>;
    readonly take: (amount: number) => void;
    readonly drain: Drain;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const stop = new AbortController();
  const leave = drain.add({
    remainingMs: () => undefined,
    interrupt: () => stop.abort(new InterruptedError(undefined, undefined)),
  });
  const signal = AbortSignal.any([request.signal, stop.signal]);
  try {
    return await readWhole(request, maxBytes, PACE, { ...options, signal });
  } finally {
    leave();
  }
}

/**
 * Reads the body of `request`.
 *
 * @param options `body` holds its parts, where `request` does not; `take` is
 * called with the bytes of each part before it is kept; `signal` stops it, with
 * its reason.
 */
export async function readWhole(
  request: Request,
  maxBytes: number,
  pace: Pace,
  { body = request.body, take = () => {}, signal = request.signal }: {
    readonly body?: AsyncIterable<Uint8Array<ArrayBuffer>> | null;
    readonly take?: (amount: number) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array();
  const stated = Number(request.headers.get("content-length") ?? 0);
  if (stated > maxBytes) throw new BodyTooLargeError(maxBytes);
  // Small parts from the network are gathered into few large ones.
  let whole = new Uint8Array(Math.min(stated, FIRST_BYTES));
  let length = 0;
  try {
    for await (const part of paced(body, pace, signal)) {
      const needed = length + part.length;
      if (needed > maxBytes) throw new BodyTooLargeError(maxBytes);
      take(part.length);
      if (needed > whole.length) {
        const room = Math.max(needed, Math.min(2 * whole.length, maxBytes));
        const larger = new Uint8Array(
          stated >= needed ? Math.min(room, stated) : room,
        );
        larger.set(whole.subarray(0, length));
        whole = larger;
      }
      whole.set(part, length);
      length = needed;
    }
  } catch (cause) {
    if (
      cause instanceof BodyTooLargeError || cause instanceof BodyTooSlowError ||
      cause instanceof OverloadedError
    ) throw cause;
    // A connection that is reset fails its body first, and then its response.
    await delay(0);
    signal.throwIfAborted();
    throw new MalformedBodyError("it is truncated", { cause });
  }
  return length === whole.length ? whole : whole.slice(0, length);
}

/** Bytes that are allocated before any have arrived. */
const FIRST_BYTES = 65_536;

/** Yields the parts of the body while they arrive in time. */
async function* paced(
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
  { windowMs, bytesPerSecond }: Pace,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const parts = partsOf(body);
  const windowBytes = bytesPerSecond * windowMs / 1000;
  let received = 0;
  // One timer per window, not per part.
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {});
  const late = () => stopped.reject(new BodyTooSlowError(bytesPerSecond));
  const left = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", left);
  if (signal.aborted) left();
  let timer = setTimeout(late, windowMs);
  try {
    for (;;) {
      const { done, value } = await Promise.race([
        parts.next(),
        stopped.promise,
      ]);
      if (done) return;
      received += value.length;
      if (received >= windowBytes) {
        clearTimeout(timer);
        timer = setTimeout(late, windowMs);
        received = 0;
      }
      yield value;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", left);
    // The rest is not awaited.
    parts.stop();
  }
}

/**
 * Returns the parts of a body and a function that ends it while a part is
 * pending.
 */
function partsOf(body: AsyncIterable<Uint8Array<ArrayBuffer>>): {
  readonly next: () => Promise<IteratorResult<Uint8Array<ArrayBuffer>>>;
  readonly stop: () => void;
} {
  if (!(body instanceof ReadableStream)) {
    const iterator = body[Symbol.asyncIterator]();
    return {
      next: () => iterator.next(),
      stop: () => void iterator.return?.().catch(() => {}),
    };
  }
  // Its iterator would end only after the next part.
  const reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> = body
    .getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done, value };
    },
    stop: () => void reader.cancel().catch(() => {}),
  };
}
