/**
 * The job runner in front of handlers that a test controls.
 *
 * @module
 */

import type { StoredEvent } from "../../functions/http/sse.ts";
import type { Job } from "../../functions/jobs/job.ts";
import {
  type JobCall,
  type JobOrder,
  JobRunner,
  type RunnerOptions,
  type Submitted,
} from "../../functions/jobs/runner.ts";
import type { Problem } from "../../functions/http/errors/problem.ts";
import { type HandClock, handClock } from "./hand_clock.ts";
import { ASKED, type JobTables, openTables } from "./job_tables.ts";

/** A request with a pending answer. */
export interface DeskCall {
  /** Request of the runner. */
  readonly request: Request;
  /** Context of the job. */
  readonly call: JobCall;
  /** Resolves the answer. */
  readonly answer: (response: Response) => void;
}

/** A runner, its parts and its reports. */
export interface JobDesk extends AsyncDisposable {
  /** Tables of jobs. */
  readonly tables: JobTables;
  /** Runner of jobs. */
  readonly runner: JobRunner;
  /** Pending requests by job. */
  readonly calls: Map<string, DeskCall>;
  /** Clock of the runner. */
  readonly clock: HandClock;
  /** Statuses reported so far, in order. */
  readonly statuses: string[];
  /** Unexpected errors. */
  readonly failures: unknown[];
  /** Submits a job that is accepted at once. */
  readonly accepted: (changes?: Partial<JobOrder>) => Promise<Job>;
}

/** Creates a problem answer of a handler. */
export function problem(
  status: number,
  code: string,
  retryable = status === 503,
): Response {
  const body: Pick<Problem, "status" | "title" | "retryable"> = {
    status: status as Problem["status"],
    title: code,
    retryable,
  };
  return Response.json(body, { status });
}

/** Creates an order with defaults. */
export function order(changes: Partial<JobOrder> = {}): JobOrder {
  return {
    request: ASKED,
    principal: "anonymous",
    webhook: undefined,
    prediction: undefined,
    link: () => {},
    ...changes,
  };
}

/** Opens a runner, on a new store by default. */
export function openDesk(
  changes: Partial<RunnerOptions> & { readonly tables?: JobTables } = {},
): JobDesk {
  const { tables = openTables(), ...options } = changes;
  const calls = new Map<string, DeskCall>();
  const clock = handClock();
  const statuses: string[] = [];
  const failures: unknown[] = [];
  const runner = new JobRunner(tables.jobs, {
    execute: (request, call) => {
      const { promise, resolve } = Promise.withResolvers<Response>();
      const end = (response: Response) => {
        calls.delete(call.id!);
        resolve(response);
      };
      calls.set(call.id!, { request, call, answer: end });
      request.signal.addEventListener(
        "abort",
        () => end(problem(503, "shutting-down")),
      );
      return promise;
    },
    limit: 8,
    now: clock.now,
    delay: clock.delay,
    onStatus: ({ status }) => void statuses.push(status),
    onFailure: (error) => void failures.push(error),
    pageBase: "",
    ...options,
  });
  const accepted = async (changes: Partial<JobOrder> = {}) => {
    const submitted = runner.submit(order(changes));
    const { call } = [...calls.values()].at(-1)!;
    call.observer!.event!({ event: "queued", data: { position: 0 } });
    return jobOf(await submitted);
  };
  return {
    tables,
    runner,
    calls,
    clock,
    statuses,
    failures,
    accepted,
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]();
      if (tables.database.isOpen) tables[Symbol.dispose]();
    },
  };
}

/** Returns the accepted job; throws for a refusal. */
export function jobOf(submitted: Submitted): Job {
  if (submitted.type === "job") return submitted.job;
  throw new TypeError("the job was refused");
}

/** Signal that never aborts. */
export const NEVER: AbortSignal = new AbortController().signal;

/** Returns all events of a job after a given one, once it has ended. */
export async function replay(
  runner: JobRunner,
  id: string,
  after = 0,
): Promise<StoredEvent[]> {
  return await Array.fromAsync(runner.events(id, after, NEVER));
}

/** Lets all pending work without external waits run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
