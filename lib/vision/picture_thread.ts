/**
 * The far end of `picture_worker.ts`: runs the codec on a thread of its own.
 *
 * Importing it does nothing outside a worker.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { Emu3Error } from "../errors.ts";
import { inPlaceCodec, type PictureCodec } from "./picture_codec.ts";
import { pack, unpack } from "./picture_message.ts";

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
  /** Bytes that the thread holds beside its heap, garbage included. */
  readonly externalBytes: number;
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

parentPort?.on("message", async (message: unknown) => {
  // The near end sends nothing else.
  const call = unpack(message) as Call;
  const outcome = await answer(call);
  const { external: externalBytes } = Deno.memoryUsage();
  const reply: Reply = { outcome, externalBytes };
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
