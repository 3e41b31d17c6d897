/**
 * The thread of `codec_thread.ts`: runs the codec in a worker.
 *
 * Importing it has no effect outside a worker.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { Emu3Error } from "../../errors.ts";
import { inPlaceCodec, type PictureCodec } from "../picture_codec.ts";
import { pack, unpack } from "./picture_message.ts";
import { threadNumber } from "./work_deadline.ts";

/** A request to the thread: one method, with its arguments. */
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

/** The thread's answer, in the order of the calls. */
export interface Reply {
  /** The value or the error of the call. */
  readonly outcome: CallOutcome;
  /** Bytes that the thread holds, garbage included. */
  readonly heldBytes: number;
}

/** The first message of a thread. */
export interface Greeting {
  /** The thread's number in Linux; undefined elsewhere. */
  readonly threadNumber: number | undefined;
}

/** An error in parts: classes do not survive the transfer between threads. */
export interface Fault {
  /** Code of an `Emu3Error`; undefined for a bug or a misuse. */
  readonly code: string | undefined;
  /** Name of the class. */
  readonly name: string;
  /** Message for people. */
  readonly message: string;
}

if (parentPort !== null) {
  const greeting: Greeting = { threadNumber: threadNumber() };
  parentPort.postMessage(greeting);
}

parentPort?.on("message", async (message: unknown) => {
  // The client sends no other messages.
  const call = unpack(message) as Call;
  const outcome = await answer(call);
  const { external, heapTotal } = Deno.memoryUsage();
  const reply: Reply = { outcome, heldBytes: external + heapTotal };
  const { packed, buffers } = pack(reply, { move: true });
  parentPort?.postMessage(packed, buffers);
});

async function answer({ method, args }: Call): Promise<CallOutcome> {
  try {
    // The client has checked their types.
    const run = inPlaceCodec[method] as (...args: unknown[]) => unknown;
    return { value: await run(...args) };
  } catch (error) {
    const { name, message } = error instanceof Error
      ? error
      : new Error("thrown value is no error");
    const code = error instanceof Emu3Error ? error.code : undefined;
    return { fault: { code, name, message } };
  }
}
