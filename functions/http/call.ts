/**
 * A call of one of the functions: what it goes by beside its fields, whoever
 * makes it: a request, a job, or a surface that other clients know.
 *
 * @module
 */

import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import type { WireEvent } from "./sse.ts";
import type { Timings } from "./server_timing.ts";
import type { InFlight } from "../shutdown/in_flight.ts";

/** What a function is called with beside its fields. */
export interface Call {
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** On whose behalf it waits: see `caller.ts`; undefined where there is one. */
  readonly caller?: string | undefined;
  /** Name of the answer; undefined for a new one. */
  readonly id?: string | undefined;
  /** For draws whose seed nobody asked for; undefined for a random one. */
  readonly seed?: number | undefined;
  /** Told how many tokens or codes were worked on. */
  readonly note?: ((tokens: number) => void) | undefined;
  /**
   * Told by which model it was answered, and how long each part took, in the
   * order in which they came.
   */
  readonly timed?:
    | ((model: string, timings: Partial<Timings>) => void)
    | undefined;
  /** Told what happens on the way, whatever the answer looks like. */
  readonly observe?: ((event: WireEvent) => void) | undefined;
  /**
   * Given what it takes to go on with a picture, before its row is told;
   * undefined for what can only start over.
   */
  readonly keep?:
    | ((imageIndex: number, halfway: ResumeState | undefined) => void)
    | undefined;
  /**
   * Whether somebody follows what happens, for whom pictures so far are made;
   * undefined where the one who asked does.
   */
  readonly watched?: (() => boolean) | undefined;
  /** Told what is under way, before it waits for its turn. */
  readonly inFlight?: ((inFlight: InFlight) => void) | undefined;
  /** By picture, where one that stopped goes on. */
  readonly halfways?: readonly (ResumeState | undefined)[] | undefined;
}

/** Lets `call` know of `progress` as it passes, in the words of `wire`. */
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

/** `progress` as it is sent. */
export async function* asSent<T>(
  progress: AsyncGenerator<T, void, undefined>,
  wire: (event: T) => WireEvent,
): AsyncGenerator<WireEvent, void, undefined> {
  for await (const event of progress) yield wire(event);
}
