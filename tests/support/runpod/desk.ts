/**
 * The worker whose handlers and clock a test controls, connected to an emulated
 * queue without a network.
 *
 * @module
 */

import { RunpodApi } from "../../../deploy/runpod/api.ts";
import type { JobCall } from "../../../deploy/runpod/job_server.ts";
import { pingLoop } from "../../../deploy/runpod/ping.ts";
import {
  RunpodWorker,
  type RunpodWorkerOptions,
} from "../../../deploy/runpod/worker.ts";
import { jobServer } from "../../../functions/runpod/start.ts";
import { type HandClock, handClock } from "../hand_clock.ts";
import { problem, settle } from "../job_desk.ts";
import {
  type Emulator,
  type EmulatorOptions,
  openEmulator,
  placeOf,
} from "./emulator.ts";
import type { RunpodJob } from "./queue.ts";

/** A request with a pending answer. */
export interface HeldCall {
  readonly request: Request;
  readonly call: JobCall;
  readonly answer: (response: Response) => void;
}

/** A worker and its surroundings. */
export interface RunpodDesk extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly worker: RunpodWorker;
  readonly clock: HandClock;
  /** Pending requests by job. */
  readonly calls: Map<string, HeldCall>;
  /** Logged failures. */
  readonly failures: unknown[];
  /** Requests of the worker: paths and queries. */
  readonly asked: string[];
  /** Advances the time in steps. */
  readonly pass: (milliseconds: number, step?: number) => Promise<void>;
  /** Adds a job and waits until it is running. */
  readonly begun: (input: unknown) => Promise<[RunpodJob, HeldCall]>;
}

/** The options of a desk. */
export interface DeskOptions
  extends Partial<RunpodWorkerOptions>, Pick<EmulatorOptions, "fault"> {
  /** Name of the worker. */
  readonly name?: string;
  /** Desk whose queue is shared. */
  readonly shared?: RunpodDesk;
}

/** Opens a worker that has started. */
export function openRunpodDesk(changes: DeskOptions = {}): RunpodDesk {
  const { name = "pod1", shared, fault, ...options } = changes;
  const clock = shared?.clock ?? handClock();
  const { now, delay } = clock;
  const emulator = shared?.emulator ?? openEmulator({
    now,
    delay,
    ...(fault && { fault }),
  });
  const calls = new Map<string, HeldCall>();
  const failures: unknown[] = [];
  const asked: string[] = [];
  const place = placeOf(name);
  const send = async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    asked.push(pathname + search);
    return await emulator.fetch(request);
  };
  const execute = (request: Request, call: JobCall) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const end = (response: Response) => {
      calls.delete(call.id);
      resolve(response);
    };
    calls.set(call.id, { request, call, answer: end });
    const stop = () => end(problem(503, "client-gone"));
    request.signal.addEventListener("abort", stop);
    if (request.signal.aborted) stop();
    return promise;
  };
  const worker = new RunpodWorker({
    api: new RunpodApi(place, { send, delay }),
    server: { ...jobServer(execute, ""), seed: () => 42 },
    startHeartbeat: () => {
      let jobs: readonly string[] = [];
      const end = new AbortController();
      const { pingUrl: url, pingMs: everyMs, key } = place;
      const ping = { url: url!, everyMs, key, program: "test" };
      const { signal } = end;
      const done = pingLoop(ping, () => jobs, { send, delay, signal });
      return {
        send: (running) => void (jobs = running),
        [Symbol.asyncDispose]: async () => {
          end.abort();
          await done;
        },
      };
    },
    rows: 8,
    isHealthy: () => true,
    delay,
    onFailure: (error) => void failures.push(error),
    ...options,
  });
  worker.start();
  const pass = async (milliseconds: number, step = 1000) => {
    for (let left = milliseconds; left > 0; left -= step) {
      clock.pass(Math.min(step, left));
      emulator.queue.sweep();
      await settle();
    }
  };
  return {
    emulator,
    worker,
    clock,
    calls,
    failures,
    asked,
    pass,
    begun: async (input) => {
      const job = emulator.queue.add(input);
      for (let i = 0; i < 10 && !calls.has(job.id); i++) await pass(100, 100);
      return [job, calls.get(job.id)!];
    },
    [Symbol.asyncDispose]: async () => {
      let open = true;
      const closed = worker[Symbol.asyncDispose]()
        .finally(() => open = false);
      // Pending reports are retried by the clock.
      await settle();
      for (let i = 0; open && i < 1000; i++) await pass(1000);
      await closed;
    },
  };
}
