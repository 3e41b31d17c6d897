/**
 * The interface of the server that runs the jobs of a queue: requests in,
 * answers and problem documents out.
 *
 * The server implements it and passes it in; the worker depends on nothing else
 * of its routes, errors and formats.
 *
 * @module
 */

import type { CodeGrid } from "../../lib/grid.ts";

/** A progress event of a function. */
export interface JobEvent {
  /** Type of the event. */
  readonly event: string;
  /** Data of the event, sent as JSON. */
  readonly data: unknown;
}

/** A job's request in flight. */
export interface JobInFlight {
  /** Request that gives the same result: its path and JSON fields. */
  readonly request: {
    readonly path: string;
    readonly fields: Readonly<Record<string, unknown>>;
  };
  /** Seed of its draws. */
  readonly seed: number;
  /** Returns the remaining time in milliseconds; undefined if unknown. */
  readonly remainingMs: () => number | undefined;
  /** Returns the rows of the only picture; undefined if not resumable. */
  readonly rows: () => CodeGrid | undefined;
}

/** The parts that a job adds to its request. */
export interface JobCall {
  /** Id of the job, and of its answer. */
  readonly id: string;
  /** Seed for draws that name none. */
  readonly seed: number;
  /** Observer of its progress. */
  readonly observer: {
    /** Called with each progress event, for any form of the answer. */
    readonly event: (event: JobEvent) => void;
    /** Called with the request in flight, before it waits for its turn. */
    readonly inFlight: (inFlight: JobInFlight) => void;
  };
}

/** A problem document, with the problem's code in `error.code`. */
export type JobProblem = Readonly<Record<string, unknown>>;

/** The state from which an interrupted job continues. */
export interface JobState {
  /** Seed of its draws. */
  readonly seed: number;
  /** Fields of each picture so far; empty if it starts over. */
  readonly images: readonly Readonly<Record<string, unknown>>[];
}

/** The server that runs jobs. */
export interface JobServer {
  /** Names of the functions that an input may request. */
  readonly functionNames: readonly string[];
  /**
   * Returns the function that the fields of an input belong to; throws if they
   * belong to none.
   */
  readonly functionOf: (fields: Readonly<Record<string, unknown>>) => string;
  /** Answers a request, also on errors; its signal ends it early. */
  readonly execute: (request: Request, call: JobCall) => Promise<Response>;
  /** Returns the JSON value of an answer. */
  readonly outputOf: (
    headers: Readonly<Record<string, string>>,
    body: Uint8Array<ArrayBuffer>,
  ) => unknown;
  /** Returns the problem document of an error in the request of a job. */
  readonly problemOf: (
    error: unknown,
    job: { readonly id: string; readonly path: string },
  ) => JobProblem;
  /** Returns the error of an interrupted job, and the state to resume from. */
  readonly interruption: (inFlight: JobInFlight | undefined) => {
    readonly error: Error;
    readonly state: JobState | undefined;
  };
  /** Returns a seed for draws that name none. */
  readonly seed: () => number;
}
