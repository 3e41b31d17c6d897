/**
 * The worker of `codec_thread.ts`, which runs the codec.
 *
 * Importing it has no effect outside a worker.
 *
 * @module
 */

import { serveFromNodeWorker } from "../../async/node_worker.ts";
import { type Fault, faultOf, Moved } from "../../async/worker_methods.ts";
import { inPlaceCodec, type PictureCodec } from "../picture_codec.ts";
import { pack, unpack } from "./picture_message.ts";
import { threadNumber } from "./work_deadline.ts";

/** A call of one method, with its arguments. */
export interface Call {
  /** Name of the codec's method. */
  readonly method: keyof PictureCodec;
  /** Arguments of the method. */
  readonly args: readonly unknown[];
}

/** The outcome of a call. */
export type CallOutcome = { readonly value: unknown } | {
  readonly fault: Fault;
};

/** The reply of the thread to a call. */
export interface CodecReply {
  /** The value or the error of the call. */
  readonly outcome: CallOutcome;
  /** Bytes that the thread holds, garbage included. */
  readonly heldBytes: number;
}

/** Methods of the thread. */
export const methods = {
  /** Returns the thread's ID on Linux; undefined elsewhere. */
  number: (): number | undefined => threadNumber(),
  /**
   * Runs a packed {@linkcode Call}; returns a packed {@linkcode CodecReply}.
   */
  run: async (message: unknown): Promise<Moved<unknown>> => {
    // The client sends no other messages.
    const outcome = await answer(unpack(message) as Call);
    const { external, heapTotal } = Deno.memoryUsage();
    const reply: CodecReply = { outcome, heldBytes: external + heapTotal };
    const { packed, buffers } = pack(reply, { move: true });
    return new Moved(packed, buffers);
  },
};

/** Type of the methods, for the client. */
export type PictureMethods = typeof methods;

serveFromNodeWorker(methods);

async function answer({ method, args }: Call): Promise<CallOutcome> {
  try {
    // The client has checked their types.
    const run = inPlaceCodec[method] as (...args: unknown[]) => unknown;
    return { value: await run(...args) };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}
