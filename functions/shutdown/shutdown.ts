/**
 * How a server stops: so that nothing that it took on is lost.
 *
 * ```text
 * signal ─▶ refuse what is new, listen on ─▶ what runs finishes, or is kept
 *        ─▶ close ─▶ exit 0               what cannot finish in time is kept early
 * ```
 *
 * It ends in bounded time, whatever happens: what is kept is on disk before
 * anybody is told, and who does not take an answer is not waited for.
 *
 * @module
 */

import { endProcess } from "../../lib/runtime/end_process.ts";
import type { Drain, ResumableRequest } from "../middleware/drain.ts";
import type { Listener } from "../http/connection/listener.ts";
import type { Jobs } from "../jobs/jobs.ts";

/** What takes jobs from elsewhere. */
export interface JobTaker extends AsyncDisposable {
  /** What is under way. */
  readonly works: readonly ResumableRequest[];
  /** Takes no more. */
  readonly drain: () => void;
}

/** What stops, and how long it may take. */
export interface Stopping {
  /** Knows what is under way in requests. */
  readonly drain: Drain;
  /** Knows what is under way in jobs. */
  readonly jobs: Pick<Jobs, "runner"> & AsyncDisposable;
  /** Takes jobs of a queue elsewhere; undefined where none does. */
  readonly queue?: JobTaker | undefined;
  /** Listen. */
  readonly servers: readonly Pick<Listener, "shutdown">[];
  /** Closed last. */
  readonly rest: readonly AsyncDisposable[];
  /** How long what runs may go on. */
  readonly graceMs: number;
  /** How long it is listened at least. */
  readonly delayMs: number;
}

/** Signals and what a process ends with that one of them ended. */
const SIGNALS = [["SIGTERM", 143], ["SIGINT", 130]] as const;

/** How often it is looked who still fits into the time that is left. */
const LOOK_MS = 100;

/** For those who were interrupted to be told, from the end of the grace on. */
const TELL_MS = 1500;

/** For models to be closed. */
const CLOSE_MS = 200;

/** Stops at the first signal; the second ends the process at once. */
export function stopOnSignal(stopping: Stopping): void {
  let asked = false;
  for (const [signal, code] of SIGNALS) {
    Deno.addSignalListener(signal, () => {
      if (asked) endProcess(code);
      asked = true;
      stop(stopping).then(
        (closed) => closed ? Deno.exit(0) : endProcess(0),
        () => endProcess(0),
      );
    });
  }
}

/**
 * Stops; comes when nothing more is to be waited for.
 *
 * @returns Whether all is closed.
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
  // Who is on the way when the signal comes still finds somebody.
  const listened = pause(Math.max(delayMs, LOOK_MS));
  await Promise.all([finish(works, graceMs), listened]);
  const closed = servers.map((server) => server.shutdown());
  const ended = Promise.all([
    queue?.[Symbol.asyncDispose](),
    jobs[Symbol.asyncDispose](),
    ...closed,
  ]);
  const told = await within(end - performance.now(), ended);
  const release = async () => {
    for (const one of rest) await one[Symbol.asyncDispose]();
  };
  return await within(CLOSE_MS, release()) && told;
}

/** Lets works finish as far as there is time; keeps the others. */
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
    await pause(Math.min(LOOK_MS, leftMs));
  }
  for (const work of works()) work.interrupt();
  const told = performance.now() + TELL_MS / 2;
  while (works().length > 0 && performance.now() < told) await pause(10);
}

/**
 * Works that are ended early: the longer half of those that do not fit into the
 * time that is left. The others go faster without them, and may fit then.
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

/** Whether `done` comes about in time. */
async function within(ms: number, done: Promise<unknown>): Promise<boolean> {
  const late = pause(ms).then(() => false);
  return await Promise.race([done.then(() => true, () => false), late]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
