/**
 * The server under attack: a process of its own, with the heap limit of
 * production, in a memory-limited control group if the machine allows, and
 * under a probe.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { type Server, startServer } from "../support/server.ts";
import {
  type ProbePlace,
  type ProbeReport,
  residentBytes,
} from "./probe_thread.ts";

/** A server and its probe. */
export interface AttackedServer extends AsyncDisposable {
  /** Base URL. */
  readonly url: string;
  /** Address for raw sockets. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Returns the resident bytes now. */
  residentBytes(): number;
  /** Resolves with the exit code when the process ends. */
  readonly ended: Promise<number>;
  /** Runs `attack` while a probe measures. */
  watch(attack: () => Promise<unknown>): Promise<ProbeReport>;
  /** True if the system kills it above the limit. */
  readonly limited: boolean;
}

/**
 * Starts a server.
 *
 * @param limitBytes Limit of the control group.
 */
export async function attackedServer(
  env: Readonly<Record<string, string>>,
  limitBytes: number,
): Promise<AttackedServer> {
  const server = await startServer({ LOG: "json", ...env });
  const { pid } = server.process;
  const group = limitMemory(pid, limitBytes);
  const { hostname, port } = new URL(server.url);
  return {
    url: server.url,
    address: { hostname, port: Number(port) },
    residentBytes: () => residentBytes(pid),
    ended: server.process.status.then(({ code }) => code),
    watch: (attack) => watched(server, attack),
    limited: group !== undefined,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      if (group !== undefined) await Deno.remove(group);
    },
  };
}

async function watched(
  { url, process: { pid } }: Server,
  attack: () => Promise<unknown>,
): Promise<ProbeReport> {
  const workerData: ProbePlace = { url, pid };
  const probe = new Worker(new URL("./probe_thread.ts", import.meta.url), {
    workerData,
  });
  const report = new Promise<ProbeReport>((resolve, reject) => {
    // The thread sends no other message.
    probe.once("message", (value: unknown) => resolve(value as ProbeReport));
    probe.once("error", reject);
  });
  try {
    await attack();
  } finally {
    probe.postMessage("stop");
  }
  const result = await report;
  await probe.terminate();
  return result;
}

/** Parents of control groups: version 2, then version 1. */
const GROUPS = [
  { parent: "/sys/fs/cgroup/unified", limit: "memory.max" },
  { parent: "/sys/fs/cgroup", limit: "memory.max" },
  { parent: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
];

/**
 * Returns the folder of the control group; undefined if none can be created.
 */
function limitMemory(pid: number, bytes: number): string | undefined {
  for (const { parent, limit } of GROUPS) {
    const group = `${parent}/emu3-abuse-${pid}`;
    try {
      Deno.mkdirSync(group);
      // The kernel creates it, if this is a cgroup folder.
      Deno.statSync(`${group}/${limit}`);
      Deno.writeTextFileSync(`${group}/${limit}`, `${bytes}`);
      Deno.writeTextFileSync(`${group}/cgroup.procs`, `${pid}`);
      return group;
    } catch {
      try {
        Deno.removeSync(group);
      } catch {
        // It was not created.
      }
    }
  }
  return undefined;
}

/** Returns a percentile of sorted numbers. */
export function percentile(sorted: readonly number[], share: number): number {
  const index = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return sorted[index] ?? Infinity;
}
