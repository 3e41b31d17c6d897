/**
 * The worker's side of calls between threads: runs methods and sends their
 * results.
 *
 * ```text
 * { id, method, input } ─▶ method ─▶ { id, event } … ─▶ { id, value } | { id, fault }
 * { id, abort }         ─▶ aborts the signal of that call
 * ```
 *
 * `worker_client.ts` is the other side. A worker's module exports the type of
 * its methods, from which the client takes the types of its calls.
 *
 * @module
 */

/** The surroundings of a call in a worker. */
export interface MethodContext<Event = never> {
  /** Aborts when the caller's signal does. */
  readonly signal: AbortSignal;
  /** Sends an event to the caller, before the result. */
  notify(event: Event): void;
}

/** Methods of a worker, by name. */
export type WorkerMethods = Readonly<
  Record<string, (input: never, context: MethodContext<never>) => unknown>
>;

/** A message to a worker. */
export type CallMessage =
  | { readonly id: number; readonly method: string; readonly input: unknown }
  | { readonly id: number; readonly abort: true };

/** A message of a worker: events of a call, and finally its outcome. */
export type ReplyMessage =
  | { readonly id: number; readonly event: unknown }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: Fault };

/** The parts of an error: structured cloning does not keep classes. */
export interface Fault {
  /** Name of the class. */
  readonly name: string;
  /** Message for people. */
  readonly message: string;
  /** Stack in the worker. */
  readonly stack: string | undefined;
  /** Own fields of the error, such as a code. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A result whose buffers are moved to the caller instead of copied. */
export class Moved<T> {
  /** Creates a result; each of `buffers` belongs to `value` alone. */
  constructor(
    /** The result. */
    readonly value: T,
    /** Buffers in it. */
    readonly buffers: readonly ArrayBuffer[],
  ) {}
}

/** The worker's end of the channel to its client. */
export interface WorkerPort {
  /** Sends a message, and moves some of its buffers. */
  postMessage(message: unknown, moved: ArrayBuffer[]): void;
  /** Adds the listener for messages. */
  onMessage(listener: (message: CallMessage) => void): void;
}

/** Returns the port of a web worker, from within. */
export function webPort(): WorkerPort {
  const scope = globalThis as unknown as Pick<WorkerPort, "postMessage">;
  return {
    postMessage: (message, moved) => scope.postMessage(message, moved),
    onMessage: (listener) =>
      globalThis.addEventListener("message", (event) => {
        if (event instanceof MessageEvent) listener(event.data);
      }),
  };
}

/**
 * Runs `methods` for the client of this worker. Calls run concurrently where
 * methods await; methods without an await run in the order of arrival.
 */
export function serveMethods(
  methods: WorkerMethods,
  port: WorkerPort = webPort(),
): void {
  const running = new Map<number, AbortController>();
  port.onMessage(async (message) => {
    const { id } = message;
    if ("abort" in message) return running.get(id)?.abort();
    const controller = new AbortController();
    running.set(id, controller);
    const reply = (message: ReplyMessage, moved: ArrayBuffer[] = []) =>
      port.postMessage(message, moved);
    try {
      const method = methods[message.method];
      if (method === undefined) {
        throw new TypeError(`Cannot call "${message.method}": no such method`);
      }
      // The client's types guarantee the type of the input.
      const result = await method(message.input as never, {
        signal: controller.signal,
        notify: (event: unknown) => reply({ id, event }),
      });
      if (result instanceof Moved) {
        reply({ id, value: result.value }, [...result.buffers]);
      } else reply({ id, value: result });
    } catch (error) {
      const fault = faultOf(error);
      try {
        reply({ id, fault });
      } catch {
        // Fields of other errors may hold values that cannot be cloned.
        reply({ id, fault: { ...fault, fields: {} } });
      }
    } finally {
      running.delete(id);
    }
  });
}

/** Returns the parts of an error, which can be sent to another thread. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) {
    const message = `the thrown value is not an Error: ${String(error)}`;
    return { name: "Error", message, stack: undefined, fields: {} };
  }
  const { name, message, stack } = error;
  return { name, message, stack, fields: { ...error } };
}
