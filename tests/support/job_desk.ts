/**
 * Handlers that a test holds in its hands, and a runner in front of them.
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

/** A request that waits for its answer. */
export interface DeskCall {
  /** As the runner made it. */
  readonly request: Request;
  /** What the job adds. */
  readonly call: JobCall;
  /** Answers. */
  readonly answer: (response: Response) => void;
}

/** A runner, what is behind it, and what it tells. */
export interface JobDesk extends AsyncDisposable {
  /** Where jobs are kept. */
  readonly tables: JobTables;
  /** Runs jobs. */
  readonly runner: JobRunner;
  /** Requests at work, by job. */
  readonly calls: Map<string, DeskCall>;
  /** Its time. */
  readonly clock: HandClock;
  /** Statuses that were told, in order. */
  readonly told: string[];
  /** What nobody foresaw. */
  readonly failures: unknown[];
  /** Submits a job that is accepted at once. */
  readonly accepted: (changes?: Partial<JobOrder>) => Promise<Job>;
}

/** A problem as handlers answer it. */
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

/** What is asked for, if nothing else is said. */
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

/** Opens a runner; on a new store unless there is one. */
export function openDesk(
  changes: Partial<RunnerOptions> & { readonly tables?: JobTables } = {},
): JobDesk {
  const { tables = openTables(), ...options } = changes;
  const calls = new Map<string, DeskCall>();
  const clock = handClock();
  const told: string[] = [];
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
    pause: clock.pause,
    onStatus: ({ status }) => void told.push(status),
    onFailure: (error) => void failures.push(error),
    pageBase: "",
    ...options,
  });
  const accepted = async (changes: Partial<JobOrder> = {}) => {
    const submitted = runner.submit(order(changes));
    const { call } = [...calls.values()].at(-1)!;
    call.observe!({ event: "queued", data: { position: 0 } });
    return jobOf(await submitted);
  };
  return {
    tables,
    runner,
    calls,
    clock,
    told,
    failures,
    accepted,
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]();
      if (tables.database.isOpen) tables[Symbol.dispose]();
    },
  };
}

/** The job that was made; fails for a refusal. */
export function jobOf(submitted: Submitted): Job {
  if (submitted.type === "job") return submitted.job;
  throw new TypeError("the job was refused");
}

/** A signal that never aborts. */
export const NEVER: AbortSignal = new AbortController().signal;

/** All that happened to a job after an event, once it has ended. */
export async function replay(
  runner: JobRunner,
  id: string,
  after = 0,
): Promise<StoredEvent[]> {
  return await Array.fromAsync(runner.events(id, after, NEVER));
}

/** Lets everything happen that waits for nothing outside. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
