/**
 * The request context: what middleware and the listener pass to every handler.
 *
 * @module
 */

import type { Context } from "hono";
import type { Call } from "./call.ts";
import type { PictureFile } from "../inference/generation_task.ts";
import type { IncomingBody } from "./connection/fetch_request.ts";
import type { ProblemContext } from "./errors/problem.ts";
import type { Timings } from "./server_timing.ts";
import type { TraceParent } from "../middleware/trace_parent.ts";

/** Hono's type parameter of the application. */
export interface AppEnv {
  /** Values that the listener passes with the request. */
  readonly Bindings: {
    /** The peer's address; undefined where there is no socket. */
    readonly remoteAddr?: Deno.NetAddr;
    /** The body; undefined where the request has it itself. */
    readonly body?: IncomingBody | undefined;
    /** The controller of the request's signal; undefined if unavailable. */
    readonly abandon?: AbortController;
    /**
     * Resolves once the answer has been sent; undefined where there is no
     * socket.
     */
    readonly sent?: Promise<void>;
    /** Address that the connection came in on; undefined if unknown. */
    readonly localAddress?: string;
    /**
     * Error of an invalid request line or Host header, which is the answer to
     * the request.
     */
    readonly malformed?: Error;
    /** Additions of a job to its call; undefined for a client's request. */
    readonly call?: Omit<Call, "signal">;
  };
  /** Variables set by middleware and read by handlers. */
  readonly Variables: {
    /** Id from `X-Request-Id`, or a generated one. */
    requestId: string;
    /**
     * Arguments of the function. Their signal aborts when the client
     * disconnects, at the timeout or when `abandon` aborts.
     */
    call: Call;
    /** Controller that ends a stream whose reader disconnected. */
    abandon: AbortController;
    /**
     * Signal that aborts when the server cannot finish; undefined for none.
     */
    interrupted: AbortSignal | undefined;
    /**
     * Resolves when a streamed answer has ended; undefined for a whole answer.
     */
    ended: Promise<void> | undefined;
    /**
     * Principal that owns the jobs: the name of a key, or `anonymous`.
     */
    principal: string;
    /** Caller for quotas, concurrency and fair queueing: see `caller.ts`. */
    caller: string;
    /**
     * Counts bytes of an answer as unsent until the returned function is
     * called; returns undefined if the caller has too much unsent.
     */
    tryHold: (bytes: number) => (() => void) | undefined;
    /**
     * Releases the slot that the request has among those of its caller,
     * for a request that only waits for work that is counted elsewhere;
     * undefined for one without a slot.
     */
    releaseSlot: (() => void) | undefined;
    /**
     * Called with the id of the job that the request becomes, when it is
     * stored.
     */
    link: ((job: string) => void) | undefined;
    /**
     * Stores a picture and returns its name below `/v1/pictures`, or undefined
     * if there is no room; undefined where none are stored.
     */
    keepPicture: ((file: PictureFile) => string | undefined) | undefined;
    /** True if an answer that had begun ended in an error. */
    failed: boolean | undefined;
    /** Number of processed tokens, for the log. */
    tokens: number | undefined;
    /** Base of this server's URLs: scheme, host and path. */
    publicBase: string;
    /** `PUBLIC_URL`; empty if it is not set, and pages are linked by path. */
    pageBase: string;
    /** Model that answered; undefined until it has. */
    model: string | undefined;
    /** Durations of the parts; undefined until they are known. */
    timings: Partial<Timings> | undefined;
    /** Parent of the request in its trace. */
    trace: TraceParent | undefined;
    /** Records an error for the log, whether or not an answer has begun. */
    report: (error: unknown) => void;
  };
}

/** Returns the problem context of the current request. */
export function problemContext(c: Context<AppEnv>): ProblemContext {
  return {
    requestId: c.get("requestId"),
    path: c.req.path,
    pageBase: c.get("pageBase"),
    clientGone: c.req.raw.signal.aborted || c.get("abandon").signal.aborted,
  };
}
