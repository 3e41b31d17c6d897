/**
 * A call of one of the functions: its context beside its fields, the same for a
 * request, a job or a compatible API.
 *
 * @module
 */

import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import type { Timings } from "./server_timing.ts";
import type { InFlight } from "../shutdown/in_flight.ts";

/** An event in its wire form. */
export interface WireEvent {
  /** Type of the event; empty for clients that support only one. */
  readonly event: string;
  /** Data of the event, sent as JSON. */
  readonly data: unknown;
}

/** The work of a call once its answer is known. */
export interface CallUsage {
  /** Number of tokens or codes that were processed. */
  readonly tokens: number;
  /** Model that answered, and the durations of its parts in their order. */
  readonly timed?: {
    readonly model: string;
    readonly timings: Partial<Timings>;
  };
}

/** The observer of a call: optional callbacks for its progress. */
export interface CallObserver {
  /**
   * Called once the request is valid and queued: later errors belong to the
   * work, not to the request. May be called repeatedly.
   */
  readonly accepted?: () => void;
  /** Called with the work in flight before it is queued. */
  readonly inFlight?: (inFlight: InFlight) => void;
  /**
   * Called with the resume state of a picture before its row is reported;
   * undefined for calls that can only start over.
   */
  readonly keep?: (
    imageIndex: number,
    halfway: ResumeState | undefined,
  ) => void;
  /** Called with each progress event, for any form of the answer. */
  readonly event?: (event: WireEvent) => void;
  /** Called with the work that was done, before the answer. */
  readonly finished?: (usage: CallUsage) => void;
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
  /** Observer of the call; undefined for none. */
  readonly observer?: CallObserver | undefined;
  /**
   * Returns true if a client follows the progress, so that previews are made;
   * undefined if the requesting client follows it.
   */
  readonly watched?: (() => boolean) | undefined;
  /** Resume state of each picture that continues earlier work. */
  readonly resumeStates?: readonly (ResumeState | undefined)[] | undefined;
}

/** A running function: read one of its streams, or call `finish`. */
export interface ObservedRun<Event, Answer> {
  /** Progress events; the last one is `completed`. */
  readonly progress: AsyncGenerator<Event, void, undefined>;
  /** Progress as wire events. */
  readonly events: AsyncGenerator<WireEvent, void, undefined>;
  /** Runs to the end and returns the answer. */
  readonly finish: () => Promise<Answer>;
}

/**
 * Returns a run of `steps` that reports each of them.
 *
 * @param observe Called with each step before it is sent.
 * @param wire Converts a step to its wire event.
 * @param answerOf Returns the answer of the last step; undefined for others.
 */
export function observedRun<Event, Answer>(
  steps: AsyncGenerator<Event, void, undefined>,
  { observer, observe, wire, answerOf }: {
    readonly observer: CallObserver | undefined;
    readonly observe: (step: Event) => void;
    readonly wire: (step: Event) => WireEvent;
    readonly answerOf: (step: Event) => Answer | undefined;
  },
): ObservedRun<Event, Answer> {
  async function* pass<T>(
    as: (step: Event) => T,
  ): AsyncGenerator<T, void, undefined> {
    for await (const step of steps) {
      observe(step);
      observer?.event?.(wire(step));
      yield as(step);
    }
  }
  const progress = pass((step) => step);
  const finish = async () => {
    for await (const step of progress) {
      const answer = answerOf(step);
      if (answer !== undefined) return answer;
    }
    throw new TypeError("the run ended without an answer");
  };
  return { progress, events: pass(wire), finish };
}
