/**
 * The emulator of RunPod's API: both sides of a queue, and the network faults
 * between a worker and it.
 *
 * @module
 */

import { type Delay, delay } from "../../../lib/async/delay.ts";
import type { RunpodPlace } from "../../../deploy/runpod/api.ts";
import { answerClient } from "./client_side.ts";
import { type QueueOptions, RunpodQueue } from "./queue.ts";
import { answerWorker, WORKER_KEY } from "./worker_side.ts";

/**
 * A fault of a worker's call: an error status; a lost request; a lost answer;
 * an answer after the worker's timeout; jobs that are delivered twice.
 */
export type Fault =
  | 429
  | 500
  | "lost question"
  | "lost answer"
  | "late answer"
  | "twice";

/** The operations of a worker. */
export type WorkerCall = "take" | "stop" | "done" | "stream" | "ping";

/** The options of the emulator. */
export interface EmulatorOptions extends Partial<QueueOptions> {
  readonly delay?: Delay;
  /** Duration of a long poll. */
  readonly pollMs?: number;
  /** Returns the fault of a worker's next call; undefined for none. */
  readonly fault?: (call: WorkerCall) => Fault | undefined;
}

/** An emulated endpoint. */
export interface Emulator {
  readonly queue: RunpodQueue;
  /** Answers clients and workers. */
  readonly fetch: (request: Request) => Promise<Response>;
}

/** Duration above any client's timeout. */
const LATE_MS = 120_000;

/** Creates an empty endpoint. */
export function openEmulator(options: EmulatorOptions = {}): Emulator {
  const {
    now = Date.now,
    deadMs = 30_000,
    ttlMs = 86_400_000,
    pollMs = 20_000,
    fault = () => undefined,
  } = options;
  const queue = new RunpodQueue({ now, deadMs, ttlMs });
  const poll = { delay: options.delay ?? delay, pollMs };
  return {
    queue,
    fetch: async (request) => {
      const call = callOf(request);
      const wrong = call && fault(call);
      if (wrong === "lost question") throw lost();
      if (typeof wrong === "number") {
        return new Response(null, { status: wrong });
      }
      if (wrong === "twice" && call === "take") {
        const again = queue.withStatus("IN_PROGRESS")[0];
        if (again !== undefined) {
          const { id, input } = again;
          return Response.json({ id, input });
        }
      }
      const answer = await answerWorker(queue, request, poll) ??
        await answerClient(queue, request, poll);
      if (wrong === "lost answer") throw lost();
      if (wrong === "late answer") await poll.delay(LATE_MS, request.signal);
      request.signal.throwIfAborted();
      return answer;
    },
  };
}

/** A listening emulator. */
export interface ServedEmulator extends Emulator, AsyncDisposable {
  /** Base URL of endpoints. */
  readonly base: string;
  /** Returns the environment variables of a worker. */
  readonly environment: (worker: string) => Record<string, string>;
}

/** Listens on a free port, or on `port`. */
export function serveEmulator(
  options: EmulatorOptions & { readonly port?: number } = {},
): ServedEmulator {
  const emulator = openEmulator(options);
  const http = Deno.serve(
    { port: options.port ?? 0, hostname: "127.0.0.1", onListen: () => {} },
    // A client that hangs up reads no answer.
    (request) =>
      emulator.fetch(request).catch(() => new Response(null, { status: 503 })),
  );
  const sweeping = setInterval(() => emulator.queue.sweep(), 20);
  const base = `http://127.0.0.1:${http.addr.port}/v2`;
  return {
    ...emulator,
    base,
    environment: (worker) => ({
      ...templates(base),
      RUNPOD_AI_API_KEY: WORKER_KEY,
      RUNPOD_POD_ID: worker,
    }),
    [Symbol.asyncDispose]: async () => {
      clearInterval(sweeping);
      await http.shutdown();
    },
  };
}

/** Returns the addresses for a worker that is connected without a network. */
export function placeOf(worker: string): RunpodPlace {
  const urls = templates("http://runpod.invalid/v2");
  return {
    workerId: worker,
    key: WORKER_KEY,
    takeUrl: urls.RUNPOD_WEBHOOK_GET_JOB.replace("$ID", worker),
    outputUrl: urls.RUNPOD_WEBHOOK_POST_OUTPUT
      .replace("$RUNPOD_POD_ID", worker),
    streamUrl: urls.RUNPOD_WEBHOOK_POST_STREAM
      .replace("$RUNPOD_POD_ID", worker),
    pingUrl: urls.RUNPOD_WEBHOOK_PING.replace("$RUNPOD_POD_ID", worker),
    pingMs: 10_000,
  };
}

function templates(base: string) {
  const end = "gpu=NVIDIA+H100";
  return {
    RUNPOD_WEBHOOK_GET_JOB: `${base}/emu3/job-take/$ID?${end}`,
    RUNPOD_WEBHOOK_POST_OUTPUT:
      `${base}/emu3/job-done/$RUNPOD_POD_ID/$ID?${end}`,
    RUNPOD_WEBHOOK_POST_STREAM:
      `${base}/emu3/job-stream/$RUNPOD_POD_ID/$ID?${end}`,
    RUNPOD_WEBHOOK_PING: `${base}/emu3/ping/$RUNPOD_POD_ID?${end}`,
  };
}

function callOf({ url }: Request): WorkerCall | undefined {
  const name = new URL(url).pathname.split("/")[3] ?? "";
  if (name.startsWith("job-take")) return "take";
  const calls = ["stop", "done", "stream", "ping"] as const;
  return calls.find((call) => name === call || name === `job-${call}`);
}

function lost(): TypeError {
  return new TypeError("the connection was lost");
}
