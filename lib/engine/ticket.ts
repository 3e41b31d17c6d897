/**
 * The ticket of a request in the engine: its progress from arrival to end.
 *
 * @module
 */

import type { Reservation } from "./admission.ts";
import type {
  EngineRequest,
  HiddenState,
  Sequence,
  Statistics,
} from "./sequence.ts";

/** A request and its progress. */
export interface Ticket {
  /** The request. */
  readonly request: EngineRequest;
  /** Caller of the request; empty by default. */
  readonly caller: string;
  /** Slots and tokens that it requests. */
  readonly reservation: Reservation;
  /** Signal that aborts it. */
  readonly signal: AbortSignal;
  /** Promise of its statistics, or of its error. */
  readonly completion: PromiseWithResolvers<Statistics>;
  /** Time of its arrival, in milliseconds. */
  readonly queuedAt: number;
  /** Number of times that others have passed it in the queue. */
  passed: number;
  /** Number of chunks of others since its last one. */
  waited: number;
  /** Time of its start, in milliseconds; 0 before. */
  startedAt: number;
  /** Time of its first choice, in milliseconds; 0 before. */
  chosenAt: number;
  /** Rows of the batch; undefined while it waits. */
  sequence: Sequence | undefined;
}

/** The hidden states to score for a policy, by token, then by row. */
export interface PendingScores {
  /** The request. */
  readonly ticket: Ticket;
  /** Hidden states. */
  readonly states: readonly (readonly HiddenState[])[];
}

/**
 * Returns the adapter name of each hidden state, in the order of the states.
 */
export function adaptersOf(
  { ticket, states }: PendingScores,
): (string | undefined)[] {
  return states.flatMap(() => ticket.sequence!.adapters);
}
