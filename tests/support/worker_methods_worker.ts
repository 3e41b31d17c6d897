/**
 * A worker for tests of calls between threads.
 *
 * @module
 */

import {
  type MethodContext,
  Moved,
  serveMethods,
} from "../../lib/async/worker_methods.ts";

/** An error with a field, as errors of ours have. */
class CodedError extends Error {
  readonly code = "coded";
  override readonly name = "CodedError";
}

const methods = {
  add: ([a, b]: readonly [number, number]): number => a + b,
  move: (bytes: Uint8Array<ArrayBuffer>): Moved<Uint8Array<ArrayBuffer>> =>
    new Moved(bytes, [bytes.buffer]),
  count: (to: number, { notify }: MethodContext<number>): string => {
    for (let i = 1; i <= to; i++) notify(i);
    return "counted";
  },
  fail: (kind: "range" | "coded" | "foreign" | "string"): void => {
    switch (kind) {
      case "range":
        throw new RangeError("out of range");
      case "coded":
        throw new CodedError("with a code");
      case "foreign":
        throw Object.assign(new Error("with a function"), { run: () => {} });
      case "string":
        throw "a string";
    }
  },
  unsendable: (): unknown => () => {},
  untilAborted: async (
    _: undefined,
    { signal, notify }: MethodContext<string>,
  ): Promise<void> => {
    const { promise, reject } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => reject(new Error("stopped")));
    notify("started");
    await promise;
  },
  crash: async (): Promise<void> => {
    reportError(new Error("worker fault"));
    await new Promise(() => {});
  },
};

/** Methods of the worker. */
export type TestMethods = typeof methods;

serveMethods(methods);
