/**
 * What every handler finds beside its request.
 *
 * @module
 */

import type { Context } from "hono";
import type { Call } from "./call.ts";
import type { PictureFile } from "../inference/generation_events.ts";
import type { IncomingBody } from "./connection/fetch_request.ts";
import type { ProblemContext } from "./errors/problem.ts";
import type { Timings } from "./server_timing.ts";
import type { TraceParent } from "../middleware/trace_parent.ts";

/** Hono's type parameter of the application. */
export interface AppEnv {
  /** Given with the request. */
  readonly Bindings: {
    /** What Deno says of the connection; nothing where there is no socket. */
    readonly remoteAddr?: Deno.NetAddr;
    /** The body; undefined where the request has it itself. */
    readonly body?: IncomingBody | undefined;
    /** The controller of the request's signal; undefined if not at hand. */
    readonly abandon?: AbortController;
    /** Settles once the answer has been sent; nothing where there is no socket. */
    readonly sent?: Promise<void>;
    /** Address that the connection came in on; undefined if not known. */
    readonly localAddress?: string;
    /**
     * Error of a request line or Host header that make no URL: the request is
     * answered with it, whatever else it says.
     */
    readonly malformed?: Error;
    /** What a job adds to its call; undefined for a request of a client. */
    readonly call?: Omit<Call, "signal">;
  };
  /** Set by middleware, read by handlers. */
  readonly Variables: {
    /** Taken from `X-Request-Id`, or made. */
    requestId: string;
    /**
     * What its function is called with. Its signal aborts when the client
     * leaves, the time is up or `abandon` says so.
     */
    call: Call;
    /** For a stream whose reader has left. */
    abandon: AbortController;
    /**
     * Aborts when the server cannot finish it; undefined where nobody does so.
     */
    interrupted: AbortSignal | undefined;
    /** When a streamed answer has ended; undefined for one that is whole. */
    ended: Promise<void> | undefined;
    /**
     * Who asks, and whose jobs are whose: the name of a key, or `anonymous`.
     */
    principal: string;
    /** The caller that quotas, places and turns are counted by: see `caller.ts`. */
    caller: string;
    /**
     * Counts bytes of an answer as unsent until what is returned is called;
     * undefined when the caller leaves too much unsent.
     */
    tryHold: (bytes: number) => (() => void) | undefined;
    /** Told the name of the job that the request becomes, as it is kept. */
    link: ((job: string) => void) | undefined;
    /**
     * Keeps a picture and returns its name below `/v1/pictures`, or nothing if
     * there is no room; undefined where none are kept.
     */
    keepPicture: ((file: PictureFile) => string | undefined) | undefined;
    /** Whether an answer that had begun ended in an error. */
    failed: boolean | undefined;
    /** Tokens that were worked on, for the log. */
    tokens: number | undefined;
    /** Scheme, host and path that URLs of this server begin with. */
    publicBase: string;
    /** `PUBLIC_URL`; empty where it is not set, and pages are named by path. */
    pageBase: string;
    /** By which model it was answered; undefined until it is. */
    model: string | undefined;
    /** How long its parts took; undefined until it is known. */
    timings: Partial<Timings> | undefined;
    /** Where the request stands among others of its trace. */
    trace: TraceParent | undefined;
    /** Notes an error for the log, whether or not an answer has begun. */
    report: (error: unknown) => void;
  };
}

/** What a problem says of the request at hand. */
export function problemContext(c: Context<AppEnv>): ProblemContext {
  return {
    requestId: c.get("requestId"),
    path: c.req.path,
    pageBase: c.get("pageBase"),
    clientGone: c.req.raw.signal.aborted || c.get("abandon").signal.aborted,
  };
}
