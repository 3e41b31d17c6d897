/**
 * The API of RunPod's clients.
 *
 * @module
 */

import { hasEnded, type RunpodJob, type RunpodQueue } from "./queue.ts";
import { held, type PollOptions } from "./worker_side.ts";

/** API key of clients. */
export const CLIENT_KEY = "rpa_client";

/** Limit of a request in bytes, by operation. */
const MAX_BYTES: Readonly<Record<string, number>> = {
  run: 10_000_000,
  runsync: 20_000_000,
};

const WAIT_MS = 90_000;

/** Answers a client's request. */
export async function answerClient(
  queue: RunpodQueue,
  request: Request,
  poll: PollOptions,
): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  if (request.headers.get("authorization") !== `Bearer ${CLIENT_KEY}`) {
    return new Response(null, { status: 401 });
  }
  const [call = "", id = ""] = pathname.split("/").slice(3);
  const waitMs = Number(searchParams.get("wait") ?? WAIT_MS);
  const patient = { ...poll, pollMs: Math.min(waitMs, WAIT_MS) };
  switch (`${request.method} ${call}`) {
    case "POST run":
    case "POST runsync": {
      const text = await request.text();
      if (text.length > MAX_BYTES[call]!) {
        return new Response(null, { status: 413 });
      }
      const job = added(queue, JSON.parse(text));
      if (job === undefined) return new Response(null, { status: 400 });
      if (call === "runsync") await ended(queue, job, request.signal, patient);
      return Response.json(statusFields(job));
    }
    case "GET health":
      return Response.json(health(queue));
    case "POST purge-queue": {
      const waiting = queue.withStatus("IN_QUEUE");
      for (const job of waiting) queue.cancel(job);
      return Response.json({ removed: waiting.length, status: "completed" });
    }
  }
  const job = queue.jobs.get(id);
  if (job === undefined) return new Response(null, { status: 404 });
  switch (`${request.method} ${call}`) {
    case "GET status":
      return Response.json(statusFields(job));
    case "GET status-sync":
      await ended(queue, job, request.signal, patient);
      return Response.json(statusFields(job));
    case "GET stream":
      return Response.json(await stream(queue, job, request.signal, poll));
    case "POST cancel":
      queue.cancel(job);
      return Response.json(statusFields(job));
    default:
      return new Response(null, { status: 404 });
  }
}

function added(
  queue: RunpodQueue,
  { input, policy = {} }: {
    readonly input?: unknown;
    readonly policy?: { ttl?: number; executionTimeout?: number };
  },
): RunpodJob | undefined {
  if (input === undefined) return undefined;
  const { ttl, executionTimeout } = policy;
  return queue.add(input, {
    ...(ttl !== undefined && { ttlMs: ttl }),
    ...(executionTimeout !== undefined && { executionMs: executionTimeout }),
  });
}

async function ended(
  queue: RunpodQueue,
  job: RunpodJob,
  signal: AbortSignal,
  poll: PollOptions,
): Promise<void> {
  await held(queue, job.id, signal, poll, () => hasEnded(job) ? [job] : []);
}

async function stream(
  queue: RunpodQueue,
  job: RunpodJob,
  signal: AbortSignal,
  poll: PollOptions,
): Promise<Record<string, unknown>> {
  const unread = () => job.parts.slice(job.read);
  await held<unknown>(
    queue,
    job.id,
    signal,
    poll,
    () => hasEnded(job) ? [job] : unread(),
  );
  const stream = unread().map((output) => ({ output }));
  job.read = job.parts.length;
  return { status: job.status, stream };
}

function statusFields(job: RunpodJob): Record<string, unknown> {
  const { id, status, createdAt, takenAt, endedAt, output, error, worker } =
    job;
  return {
    id,
    status,
    ...(job.takes > 0 && { delayTime: takenAt - createdAt, workerId: worker }),
    ...(hasEnded(job) && { executionTime: endedAt - takenAt }),
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
  };
}

function health(queue: RunpodQueue): Record<string, unknown> {
  const count = (status: RunpodJob["status"]) =>
    queue.withStatus(status).length;
  const running = new Set(
    queue.withStatus("IN_PROGRESS").map(({ worker }) => worker),
  ).size;
  const idle = queue.workers.size - running;
  return {
    jobs: {
      completed: count("COMPLETED"),
      failed: count("FAILED"),
      inProgress: count("IN_PROGRESS"),
      inQueue: count("IN_QUEUE"),
      retried: queue.retried,
    },
    workers: { idle, running, initializing: 0, ready: idle, throttled: 0 },
  };
}
