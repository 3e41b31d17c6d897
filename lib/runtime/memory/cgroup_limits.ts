/**
 * What a container allows its processes: time on CPUs, and memory.
 *
 * A container on a large machine sees all its CPUs and all its memory, and may
 * use little of both. More threads than it may run at once are stopped in the
 * middle of a step, those that wait for each other included; more memory than
 * it may have ends the process.
 *
 * Source: Linux, `Documentation/admin-guide/cgroup-v2.rst`, and
 * `scheduler/sched-bwc.rst` and `cgroup-v1/memory.rst` for version 1.
 *
 * @module
 */

import { type Controller, groupFolders } from "./control_groups.ts";
import { readSystemFile } from "./system_file.ts";

/** Limits; what is undefined is not limited, as far as can be known. */
export interface CgroupLimits {
  /** CPUs' worth of time, not always whole. */
  readonly cpus: number | undefined;
  /** Bytes that all processes of the container may have together. */
  readonly memoryBytes: number | undefined;
}

/**
 * What this process may use, by the strictest limit of all that bind it.
 *
 * @param read The text of a file of the system; undefined when there is none.
 */
export function containerAllowance(
  read: (path: string) => string | undefined = readSystemFile,
): CgroupLimits {
  const texts = {
    groups: read("/proc/self/cgroup") ?? "",
    mounts: read("/proc/self/mountinfo") ?? "",
  };
  const least = (
    controller: Controller,
    limits: (text: (name: string) => string) => (number | undefined)[],
  ) => {
    const found = groupFolders(texts, controller)
      .flatMap((folder) => limits((name) => read(`${folder}/${name}`) ?? ""))
      .filter((limit) => limit !== undefined);
    return found.length === 0 ? undefined : Math.min(...found);
  };
  return {
    cpus: least("cpu", (text) => [
      cpusFrom(text("cpu.max")),
      cpusFrom(`${text("cpu.cfs_quota_us")} ${text("cpu.cfs_period_us")}`),
    ]),
    memoryBytes: least("memory", (text) => [
      bytesFrom(text("memory.max")),
      // Above this one the kernel does not end a process, but stalls it.
      bytesFrom(text("memory.high")),
      bytesFrom(text("memory.limit_in_bytes")),
    ]),
  };
}

/**
 * Threads that compute without being stopped for it.
 *
 * Rounded down: with 1.5 CPUs, two threads that wait for each other would both
 * stand still a quarter of the time, and the event loop and the picture codec
 * want a share too.
 *
 * @param cpus That the process may be put on.
 */
export function threadsWithin(
  cpus: number,
  { cpus: allowed = Infinity }: Pick<CgroupLimits, "cpus">,
): number {
  return Math.max(1, Math.floor(Math.min(cpus, allowed)));
}

/**
 * CPUs from a quota and its period, `"150000 100000"` for 1.5.
 *
 * @returns undefined for `"max"`, −1, and what is no quota.
 */
export function cpusFrom(text: string): number | undefined {
  const [, quota, period] = /^(\d+)\s+(\d+)\s*$/.exec(text) ?? [];
  const cpus = Number(quota) / Number(period);
  return cpus > 0 && Number.isFinite(cpus) ? cpus : undefined;
}

/**
 * A limit of memory.
 *
 * @returns undefined for `"max"`, and what is no limit. Version 1 says an
 * amount that no machine has where there is none.
 */
export function bytesFrom(text: string): number | undefined {
  const bytes = /^\d+\s*$/.test(text) ? Number(text) : 0;
  return bytes > 0 ? bytes : undefined;
}
