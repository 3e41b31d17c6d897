/**
 * The probe: asks a server whether it lives, from a thread that no attack keeps
 * busy, and how much memory it holds.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";

/** Facts that a probe is started with. */
export interface ProbePlace {
  /** Base of the server's URLs. */
  readonly url: string;
  /** Process of the server. */
  readonly pid: number;
}

/** Measurements of a probe. */
export interface ProbeReport {
  /** Milliseconds of each `GET /livez`, in order of size. */
  readonly latencies: readonly number[];
  /**
   * Milliseconds that the server's event loop computed meanwhile, in order of
   * size: on a machine that others keep busy, latency without their part.
   */
  readonly loopTimes: readonly number[];
  /** Answers that did not come, or were not 200. */
  readonly failures: number;
  /** Greatest resident memory, in bytes. */
  readonly peakBytes: number;
}

/** Pause between two questions, in milliseconds. */
const PAUSE_MS = 10;

/** A question without an answer for so long has failed. */
const PATIENCE_MS = 60_000;

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

/** Asks until it is told to stop. */
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
      const signal = AbortSignal.timeout(PATIENCE_MS);
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
  // Started by `attacked_server.ts` alone.
  parentPort.postMessage(await probe(workerData as ProbePlace));
}
