/**
 * A call of one of the functions: its context beside its fields, the same for a
 * request, a job or a compatible API.
 *
 * @module
 */

import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import type { Timings } from "./server_timing.ts";
import type { InFlight } from "../shutdown/in_flight.ts";

/** An event as it is sent. */
export interface WireEvent {
  /** Type of the event; empty for clients that support only one. */
  readonly event: string;
  /** Data of the event, sent as JSON. */
  readonly data: unknown;
}

/** The arguments of a function beside its fields. */
export interface Call {
  /** Signal that cancels the call. */
  readonly signal: AbortSignal;
  /**
   * Caller that the call counts toward: see `caller.ts`; undefined if there is
   * only one.
   */
  readonly caller?: string | undefined;
  /** Id of the answer; undefined for a new one. */
  readonly id?: string | undefined;
  /** Seed for generations that name none; undefined for a random one. */
  readonly seed?: number | undefined;
  /** Called with the number of tokens or codes that were processed. */
  readonly note?: ((tokens: number) => void) | undefined;
  /**
   * Called with the model that answered and the duration of each part, in their
   * order.
   */
  readonly timed?:
    | ((model: string, timings: Partial<Timings>) => void)
    | undefined;
  /** Called with each progress event, whatever the form of the answer. */
  readonly observe?: ((event: WireEvent) => void) | undefined;
  /**
   * Called with the resume state of a picture before its row is reported;
   * undefined for calls that can only start over.
   */
  readonly keep?:
    | ((imageIndex: number, resumeState: ResumeState | undefined) => void)
    | undefined;
  /**
   * Reports if a client follows the progress, so that previews are made;
   * undefined if the requesting client follows it.
   */
  readonly watched?: (() => boolean) | undefined;
  /** Called with the work in flight before it waits for its turn. */
  readonly inFlight?: ((inFlight: InFlight) => void) | undefined;
  /** Resume state of each picture that continues earlier work. */
  readonly resumeStates?: readonly (ResumeState | undefined)[] | undefined;
}

/** Passes `progress` on and reports each event to `call`, converted by `wire`. */
export async function* observed<T>(
  call: Call,
  progress: AsyncGenerator<T, void, undefined>,
  wire: (event: T) => WireEvent,
): AsyncGenerator<T, void, undefined> {
  for await (const event of progress) {
    call.observe?.(wire(event));
    yield event;
  }
}

/** Yields `progress` as wire events. */
export async function* asSent<T>(
  progress: AsyncGenerator<T, void, undefined>,
  wire: (event: T) => WireEvent,
): AsyncGenerator<WireEvent, void, undefined> {
  for await (const event of progress) yield wire(event);
}
