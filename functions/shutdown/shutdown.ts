/**
 * The shutdown of a server, without loss of accepted work.
 *
 * ```text
 * signal ─▶ refuse new work, keep listening ─▶ running work ends or is stored
 *        ─▶ close ─▶ exit 0               work that exceeds the grace is stored early
 * ```
 *
 * It ends in bounded time: interrupted work is on disk before its client is
 * answered, and clients that do not read their answer are not waited for.
 *
 * @module
 */

import { delay } from "../../lib/async/delay.ts";
import { endProcess } from "../../lib/runtime/end_process.ts";
import type { Drain, ResumableRequest } from "../middleware/drain.ts";
import type { Listener } from "../http/connection/listener.ts";
import type { Jobs } from "../jobs/jobs.ts";

/** A source of jobs outside this server. */
export interface JobTaker extends AsyncDisposable {
  /** Requests of the jobs under way. */
  readonly works: readonly ResumableRequest[];
  /** Stops taking jobs. */
  readonly drain: () => void;
}

/** The parts to stop, and their time limits. */
export interface Stopping {
  /** State of the requests under way. */
  readonly drain: Drain;
  /** Jobs under way. */
  readonly jobs: Pick<Jobs, "runner"> & AsyncDisposable;
  /** Queue that jobs are taken from; undefined for none. */
  readonly queue?: JobTaker | undefined;
  /** Servers that listen. */
  readonly servers: readonly Pick<Listener, "shutdown">[];
  /** Resources that are closed last. */
  readonly rest: readonly AsyncDisposable[];
  /** Time that running requests have, in milliseconds. */
  readonly graceMs: number;
  /** Minimum time of listening, in milliseconds. */
  readonly delayMs: number;
}

/** Signals, and the exit code of a process that each ends. */
const SIGNALS = [["SIGTERM", 143], ["SIGINT", 130]] as const;

/** Interval between two estimates of the requests that fit. */
const LOOK_MS = 100;

/** Time for answers to interrupted requests, after the grace. */
const TELL_MS = 1500;

/** Time for closing models. */
const CLOSE_MS = 200;

/** Stops at the first signal; a second one ends the process at once. */
export function stopOnSignal(stopping: Stopping): void {
  let signaled = false;
  for (const [signal, code] of SIGNALS) {
    Deno.addSignalListener(signal, () => {
      if (signaled) endProcess(code);
      signaled = true;
      stop(stopping).then(
        (closed) => closed ? Deno.exit(0) : endProcess(0),
        () => endProcess(0),
      );
    });
  }
}

/**
 * Stops the server; resolves when all work has ended.
 *
 * @returns True if all is closed.
 */
export async function stop(stopping: Stopping): Promise<boolean> {
  const { drain, jobs, queue, servers, rest, graceMs, delayMs } = stopping;
  const end = performance.now() + Math.max(graceMs, delayMs) + TELL_MS;
  const works = () => [
    ...drain.works,
    ...jobs.runner.works,
    ...queue?.works ?? [],
  ];
  drain.begin();
  jobs.runner.drain();
  queue?.drain();
  // Clients under way at the signal can still connect.
  const listened = delay(Math.max(delayMs, LOOK_MS));
  await Promise.all([finish(works, graceMs), listened]);
  const closed = servers.map((server) => server.shutdown());
  const closing = Promise.all([
    queue?.[Symbol.asyncDispose](),
    jobs[Symbol.asyncDispose](),
    ...closed,
  ]);
  const ended = await within(end - performance.now(), closing);
  const release = async () => {
    for (const one of rest) await one[Symbol.asyncDispose]();
  };
  return await within(CLOSE_MS, release()) && ended;
}

/** Lets requests finish while there is time; interrupts the others. */
async function finish(
  works: () => readonly ResumableRequest[],
  graceMs: number,
): Promise<void> {
  const end = performance.now() + graceMs;
  for (;;) {
    const left = works();
    if (left.length === 0) return;
    const leftMs = end - performance.now();
    if (leftMs <= 0) break;
    for (const work of hopeless(left, leftMs)) work.interrupt();
    await delay(Math.min(LOOK_MS, leftMs));
  }
  for (const work of works()) work.interrupt();
  const deadline = performance.now() + TELL_MS / 2;
  while (works().length > 0 && performance.now() < deadline) await delay(10);
}

/**
 * Returns the requests to end early: the longer half of those that do not fit
 * into the remaining time. The others go faster without them, and may fit then.
 */
export function hopeless(
  works: readonly ResumableRequest[],
  leftMs: number,
): ResumableRequest[] {
  const late = works
    .map((work) => ({ work, ms: work.remainingMs() ?? 0 }))
    .filter(({ ms }) => ms > leftMs)
    .sort((a, b) => b.ms - a.ms);
  return late.slice(0, Math.ceil(late.length / 2)).map(({ work }) => work);
}

/** Returns true if `done` resolves in time. */
async function within(ms: number, done: Promise<unknown>): Promise<boolean> {
  const late = delay(ms).then(() => false);
  return await Promise.race([done.then(() => true, () => false), late]);
}
