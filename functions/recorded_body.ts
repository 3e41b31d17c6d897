/**
 * A body, kept as it is read.
 *
 * @module
 */

import type { Context } from "hono";
import type { AppEnv } from "./context.ts";

/** A body that is kept. */
export interface RecordedBody {
  /** All of it; undefined as long as it comes, and once it was forgotten. */
  readonly whole: Uint8Array<ArrayBuffer> | undefined;
  /** Keeps it no longer. */
  readonly forget: () => void;
}

/** Keeps the body of a request while its handler reads it. */
export function recordBody(c: Context<AppEnv>): RecordedBody | undefined {
  const { body } = c.req.raw;
  if (body === null) return undefined;
  let parts: Uint8Array<ArrayBuffer>[] | undefined = [];
  let ended = false;
  const passing = body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (part, controller) => {
        parts?.push(part);
        controller.enqueue(part);
      },
      flush: () => void (ended = true),
    }),
  );
  c.req.raw = new Request(c.req.raw, { body: passing });
  return {
    get whole() {
      return ended && parts !== undefined ? joined(parts) : undefined;
    },
    forget: () => void (parts = undefined),
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
