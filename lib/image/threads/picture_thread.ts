/**
 * The far end of `codec_thread.ts`: runs the codec on a thread of its own.
 *
 * Importing it does nothing outside a worker.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { Emu3Error } from "../../errors.ts";
import { inPlaceCodec, type PictureCodec } from "../picture_codec.ts";
import { pack, unpack } from "./picture_message.ts";
import { threadNumber } from "./work_deadline.ts";

/** What is asked of the thread: one method, with its arguments. */
export interface Call {
  /** Of the codec. */
  readonly method: keyof PictureCodec;
  /** As the method takes them. */
  readonly args: readonly unknown[];
}

/** The outcome of a call. */
export type Outcome = { readonly value: unknown } | { readonly fault: Fault };

/** What the thread answers, in the order of the calls. */
export interface Reply {
  /** The value or the error of the call. */
  readonly outcome: Outcome;
  /** Bytes that the thread holds, garbage included. */
  readonly heldBytes: number;
}

/** The first message of a thread. */
export interface Greeting {
  /** The number by which Linux knows it; undefined elsewhere. */
  readonly threadNumber: number | undefined;
}

/** An error, taken apart: classes do not survive the way between threads. */
export interface Fault {
  /** That of an `Emu3Error`; undefined for a bug or a misuse. */
  readonly code: string | undefined;
  /** The class's name. */
  readonly name: string;
  /** For people. */
  readonly message: string;
}

if (parentPort !== null) {
  const greeting: Greeting = { threadNumber: threadNumber() };
  parentPort.postMessage(greeting);
}

parentPort?.on("message", async (message: unknown) => {
  // The near end sends nothing else.
  const call = unpack(message) as Call;
  const outcome = await answer(call);
  const { external, heapTotal } = Deno.memoryUsage();
  const reply: Reply = { outcome, heldBytes: external + heapTotal };
  const { packed, buffers } = pack(reply, { move: true });
  parentPort?.postMessage(packed, buffers);
});

async function answer({ method, args }: Call): Promise<Outcome> {
  try {
    // The near end has typed them.
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
