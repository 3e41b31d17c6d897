/**
 * The API of RunPod's workers, as strict as their own SDK is.
 *
 * @module
 */

import type { Delay } from "../../../lib/async/delay.ts";
import type { RunpodQueue } from "./queue.ts";

/** API key of workers. */
export const WORKER_KEY = "rpa_worker";

/** The options of long polls. */
export interface PollOptions {
  readonly delay: Delay;
  readonly pollMs: number;
}

const MAX_PART_BYTES = 2 ** 20;
const MAX_RESULT_BYTES = 20_000_000;

/** Answers a worker's request; undefined for an unknown route. */
export async function answerWorker(
  queue: RunpodQueue,
  request: Request,
  poll: PollOptions,
): Promise<Response | undefined> {
  const url = new URL(request.url);
  const [call, worker, job] = url.pathname.split("/").slice(3)
    .map(decodeURIComponent);
  if (!/^(job-(take|take-batch|stop|done|stream)|ping)$/.test(call ?? "")) {
    return undefined;
  }
  if (request.headers.get("authorization") !== WORKER_KEY) {
    return new Response(null, { status: 401 });
  }
  switch (call) {
    case "ping": {
      const named = url.searchParams.get("job_id")?.split(",") ?? [];
      if (!url.searchParams.has("runpod_version")) return bad();
      queue.ping(worker!, named);
      return new Response("ok");
    }
    case "job-stop": {
      const stops = () => queue.workers.get(worker!)?.stops.splice(0) ?? [];
      const found = await held(queue, worker!, request.signal, poll, stops);
      return found.length === 0
        ? new Response(null, { status: 204 })
        : Response.json({ jobsToStop: found });
    }
    case "job-take":
    case "job-take-batch":
      return await take(queue, worker!, url, request.signal, poll);
    case "job-stream":
      return await streamed(queue, job!, request);
    default:
      return await done(queue, worker!, job!, request);
  }
}

/** Polls at every notification, until there is a result or the time is over. */
export async function held<T>(
  { notifier }: RunpodQueue,
  bell: string,
  signal: AbortSignal,
  { delay, pollMs }: PollOptions,
  find: () => readonly T[],
): Promise<readonly T[]> {
  const late = new AbortController();
  const done = new AbortController();
  delay(pollMs, AbortSignal.any([signal, done.signal]))
    .then(() => late.abort());
  try {
    for (;;) {
      if (signal.aborted) return [];
      const found = find();
      if (found.length > 0 || late.signal.aborted) return found;
      await notifier.next(bell, AbortSignal.any([late.signal, signal]));
    }
  } finally {
    done.abort();
  }
}

async function take(
  queue: RunpodQueue,
  worker: string,
  url: URL,
  signal: AbortSignal,
  poll: PollOptions,
): Promise<Response> {
  const batch = url.pathname.includes("/job-take-batch/");
  const size = Number(url.searchParams.get("batch_size"));
  const busy = url.searchParams.get("job_in_progress");
  if (!/^[01]$/.test(busy ?? "") || batch !== size > 1) return bad();
  const count = batch ? size : 1;
  const jobs = await held(
    queue,
    "queue",
    signal,
    poll,
    () => queue.take(worker, count),
  );
  const delivered = jobs.map(({ id, input }) => ({ id, input }));
  if (delivered.length === 0) return new Response(null, { status: 204 });
  return Response.json(batch ? delivered : delivered[0]);
}

async function done(
  queue: RunpodQueue,
  worker: string,
  id: string,
  request: Request,
): Promise<Response> {
  const text = await request.text();
  if (!isWellSent(request, id)) return bad();
  if (new TextEncoder().encode(text).length > MAX_RESULT_BYTES + 100) {
    return new Response(null, { status: 413 });
  }
  const { status, stopPod, ...result } = JSON.parse(text);
  if (status === "IN_PROGRESS") queue.progress(id, result.output);
  else queue.finish(id, result);
  if (stopPod === true) queue.workers.get(worker)!.stopped = true;
  return Response.json({ status: "ok" });
}

async function streamed(
  queue: RunpodQueue,
  id: string,
  request: Request,
): Promise<Response> {
  const text = await request.text();
  if (!isWellSent(request, id)) return bad();
  if (new TextEncoder().encode(text).length > MAX_PART_BYTES) {
    return new Response(null, { status: 413 });
  }
  queue.addPart(id, JSON.parse(text).output);
  return Response.json({ status: "ok" });
}

/** Returns true if a request is formed like those of their SDK. */
function isWellSent({ url, headers, method }: Request, id: string): boolean {
  return method === "POST" && headers.get("x-request-id") === id &&
    headers.get("content-type") === "application/x-www-form-urlencoded" &&
    /[?&]isStream=(true|false)$/.test(url);
}

function bad(): Response {
  return new Response(null, { status: 422 });
}
