/**
 * The analysis of a Chromium trace: work of a page's main thread.
 *
 * @module
 */

/** An event of a trace; times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
}

/** Trace categories that `workOfFrames()` requires. */
export const CATEGORIES: string[] = [
  "toplevel",
  "devtools.timeline",
  "disabled-by-default-devtools.timeline",
];

const FRAME = "FireAnimationFrame";
const TASK = "RunTask";

/**
 * Returns the milliseconds that the main thread worked in each frame: all its
 * tasks from the one that called the frame's animation callbacks to the next
 * such one.
 *
 * @param trace JSON of a trace of `CATEGORIES`.
 */
export function workOfFrames(trace: Uint8Array): number[] {
  const { traceEvents } = JSON.parse(new TextDecoder().decode(trace)) as {
    traceEvents: TraceEvent[];
  };
  const callbacks = traceEvents.filter(({ name }) => name === FRAME);
  const main = callbacks[0];
  if (main === undefined) return [];
  const tasks = traceEvents
    .filter(({ name, ph, pid, tid }) =>
      name === TASK && ph === "X" && pid === main.pid && tid === main.tid
    )
    .sort((a, b) => a.ts - b.ts);
  const begins = (task: TraceEvent) =>
    callbacks.some(({ ts }) =>
      ts >= task.ts && ts <= task.ts + (task.dur ?? 0)
    );
  const work: number[] = [];
  for (const task of tasks) {
    if (begins(task)) work.push(0);
    if (work.length > 0) {
      work[work.length - 1]! += (task.dur ?? 0) / 1000;
    }
  }
  // The last one includes all work until the trace ends.
  return work.slice(0, -1);
}
