/**
 * The probe: a thread that measures liveness and memory of a server,
 * independently of the attack's load.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";

/** The target of a probe. */
export interface ProbePlace {
  /** Base URL of the server. */
  readonly url: string;
  /** Process id of the server. */
  readonly pid: number;
}

/** Measurements of a probe. */
export interface ProbeReport {
  /** Milliseconds of each `GET /livez`, sorted. */
  readonly latencies: readonly number[];
  /**
   * Milliseconds of the server's event loop during each, sorted: latency
   * without the share of other processes on the machine.
   */
  readonly loopTimes: readonly number[];
  /** Count of answers that were missing or not 200. */
  readonly failures: number;
  /** Peak resident memory, in bytes. */
  readonly peakBytes: number;
}

/** Interval between two requests, in milliseconds. */
const PAUSE_MS = 10;

/** Timeout of a request, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** Returns the resident bytes of a process; 0 for one that ended. */
export function residentBytes(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Returns the CPU time of a process's first thread, in milliseconds. */
function loopTime(pid: number): number {
  try {
    const path = `/proc/${pid}/task/${pid}/schedstat`;
    const [nanoseconds] = Deno.readTextFileSync(path).split(" ");
    return Number(nanoseconds) / 1e6;
  } catch {
    return 0;
  }
}

/** Sends requests until it receives a stop message. */
async function probe({ url, pid }: ProbePlace): Promise<ProbeReport> {
  const latencies: number[] = [];
  const loopTimes: number[] = [];
  let failures = 0;
  let peakBytes = 0;
  let stopped = false;
  parentPort!.once("message", () => stopped = true);
  while (!stopped) {
    const start = performance.now();
    const computed = loopTime(pid);
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const answer = await fetch(`${url}/livez`, { signal });
      await answer.body?.cancel();
      if (answer.status !== 200) failures++;
      latencies.push(performance.now() - start);
      loopTimes.push(loopTime(pid) - computed);
    } catch {
      failures++;
    }
    peakBytes = Math.max(peakBytes, residentBytes(pid));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  latencies.sort((a, b) => a - b);
  loopTimes.sort((a, b) => a - b);
  return { latencies, loopTimes, failures, peakBytes };
}

if (parentPort !== null) {
  // Started by `attacked_server.ts` only.
  parentPort.postMessage(await probe(workerData as ProbePlace));
}
