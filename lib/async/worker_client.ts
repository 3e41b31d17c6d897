/**
 * The client of a worker: calls its methods, and rejects when the worker ends.
 *
 * ```text
 * call ─▶ worker ─▶ event … ─▶ value or error
 *           └ crash or end ─▶ every pending and later call rejects
 * ```
 *
 * Own code, because Comlink neither rejects the calls of a terminated worker,
 * nor aborts calls, nor keeps the fields of errors.
 *
 * @module
 */

import type {
  CallMessage,
  Fault,
  MethodContext,
  Moved,
  ReplyMessage,
  WorkerMethods,
} from "./worker_methods.ts";

/** Names of the methods of `M`. */
export type MethodName<M> = keyof M & string;

/** The input of a method. */
export type MethodInput<F> = F extends
  (input: infer I, ...rest: never) => unknown ? I
  : never;

/** The result of a method on the caller's side. */
export type MethodResult<F> = F extends (...input: never) => infer R
  ? Awaited<R> extends Moved<infer T> ? T : Awaited<R>
  : never;

/** The events of a method. */
export type MethodEvent<F> = F extends
  (input: never, context: MethodContext<infer E>) => unknown ? E : never;

/** A running worker, of either kind. */
export interface WorkerThread {
  /** Sends a message, and moves some of its buffers. */
  postMessage(message: unknown, moved: ArrayBuffer[]): void;
  /** Adds the listeners for messages and for the end of the worker. */
  listen(
    onMessage: (message: ReplyMessage) => void,
    onEnd: (reason: string) => void,
  ): void;
  /** Ends the worker. */
  terminate(): unknown;
}

/** Starts a web worker. */
export function webWorker(url: URL, name: string): WorkerThread {
  const worker = new Worker(url, { type: "module", name });
  return {
    postMessage: (message, moved) => worker.postMessage(message, moved),
    listen: (onMessage, onEnd) => {
      worker.onmessage = ({ data }) => onMessage(data);
      worker.onerror = (event) => {
        // The error ends the calls of this worker, not the process.
        event.preventDefault();
        onEnd(event.message);
      };
    },
    terminate: () => worker.terminate(),
  };
}

/** The error of a call to a worker that has crashed or was closed. */
export class WorkerEndedError extends Error {
  /** Creates an error with the reason. */
  constructor(message: string) {
    super(message);
    this.name = "WorkerEndedError";
  }
}

/** Options of a call. */
export interface CallOptions<Event = never> {
  /** Buffers of the input that are moved instead of copied. */
  readonly moved?: readonly ArrayBuffer[];
  /** Aborts the signal in the worker; the call ends when its method does. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each event. */
  readonly onEvent?: (event: Event) => void;
}

/** A call without an outcome yet. */
interface Pending {
  readonly result: PromiseWithResolvers<unknown>;
  readonly onEvent: ((event: never) => void) | undefined;
}

/** Calls the methods `M` of one worker. */
export class WorkerClient<M extends WorkerMethods> implements Disposable {
  readonly #thread: WorkerThread;
  readonly #name: string;
  readonly #restore: (fault: Fault) => Error | undefined;
  readonly #pending = new Map<number, Pending>();
  #next = 0;
  #failure: WorkerEndedError | undefined;

  /**
   * Creates a client.
   *
   * @param name Name of the worker, for messages.
   * @param restore Returns an error of one of this library's classes; undefined
   * for others.
   */
  constructor(
    thread: WorkerThread,
    name: string,
    restore: (fault: Fault) => Error | undefined = () => undefined,
  ) {
    this.#thread = thread;
    this.#name = name;
    this.#restore = restore;
    thread.listen(
      (reply) => this.#settle(reply),
      (reason) => this.#end(reason),
    );
  }

  /** Number of calls without an outcome. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Calls a method.
   *
   * @throws The error of the method, with its class if it is known.
   * @throws {WorkerEndedError} If the worker has crashed or is closed.
   * @throws The signal's reason if the call fails after it has aborted.
   */
  async call<K extends MethodName<M>>(
    method: K,
    input: MethodInput<M[K]>,
    { moved = [], signal, onEvent }: CallOptions<MethodEvent<M[K]>> = {},
  ): Promise<MethodResult<M[K]>> {
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#next++;
    const result = Promise.withResolvers<unknown>();
    this.#pending.set(id, { result, onEvent });
    const abort = () => this.#post({ id, abort: true });
    signal?.addEventListener("abort", abort, { once: true });
    try {
      this.#post({ id, method, input }, [...moved]);
      // The worker's module exports the types of its results.
      return await result.promise as MethodResult<M[K]>;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#pending.delete(id);
    }
  }

  /** Ends the worker; pending and later calls reject. */
  async close(): Promise<void> {
    this.#end("it is closed");
    await this.#thread.terminate();
  }

  /** Ends the worker as {@linkcode close} does, without waiting for it. */
  [Symbol.dispose](): void {
    void this.close();
  }

  #post(message: CallMessage, moved: ArrayBuffer[] = []): void {
    this.#thread.postMessage(message, moved);
  }

  #settle(reply: ReplyMessage): void {
    const call = this.#pending.get(reply.id);
    if ("event" in reply) call?.onEvent?.(reply.event as never);
    else if ("fault" in reply) call?.result.reject(this.#errorOf(reply.fault));
    else call?.result.resolve(reply.value);
  }

  #errorOf(fault: Fault): Error {
    const error = this.#restore(fault) ?? nativeError(fault);
    if (fault.stack !== undefined) error.stack = fault.stack;
    return error;
  }

  #end(reason: string): void {
    this.#failure ??= new WorkerEndedError(
      `Cannot use ${this.#name}: ${reason}`,
    );
    for (const { result } of this.#pending.values()) {
      result.reject(this.#failure);
    }
  }
}

const NATIVE = { RangeError, ReferenceError, SyntaxError, TypeError };

/** Returns an error of the JavaScript class that a fault names. */
function nativeError({ name, message, fields }: Fault): Error {
  if (name in NATIVE) return new NATIVE[name as keyof typeof NATIVE](message);
  return Object.assign(new Error(message), { name, ...fields });
}
