/**
 * The limits of a container: CPU time, and memory.
 *
 * A container on a large machine sees all its CPUs and all its memory, and may
 * use little of both. More threads than it may run at once are stopped in the
 * middle of a step, even while others wait for them; more memory than its limit
 * ends the process.
 *
 * Source: Linux, `Documentation/admin-guide/cgroup-v2.rst`, and
 * `scheduler/sched-bwc.rst` and `cgroup-v1/memory.rst` for version 1.
 *
 * @module
 */

import { type Controller, groupFolders } from "./control_groups.ts";
import { readSystemFile } from "./system_file.ts";

/**
 * The limits of a container; undefined ones do not exist, as far as can be
 * known.
 */
export interface CgroupLimits {
  /** CPUs' worth of time, not always whole. */
  readonly cpus: number | undefined;
  /** Bytes that all processes of the container may have together. */
  readonly memoryBytes: number | undefined;
}

/**
 * Returns the strictest limits that apply to this process.
 *
 * @param read Function that returns the text of a system file; undefined if
 * there is none.
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
      // Above this limit the kernel does not end a process, but stalls it.
      bytesFrom(text("memory.high")),
      bytesFrom(text("memory.limit_in_bytes")),
    ]),
  };
}

/**
 * Returns the number of threads that can compute without being stopped.
 *
 * Rounded down: with 1.5 CPUs, two threads that wait for each other would both
 * be idle a quarter of the time, and the event loop and the picture codec need
 * a share, too.
 *
 * @param cpus Number of CPUs that the process may run on.
 */
export function threadsWithin(
  cpus: number,
  { cpus: allowed = Infinity }: Pick<CgroupLimits, "cpus">,
): number {
  return Math.max(1, Math.floor(Math.min(cpus, allowed)));
}

/**
 * Returns the CPUs from a quota and its period, `"150000 100000"` for 1.5.
 *
 * @returns Undefined for `"max"`, −1, and any text that is no quota.
 */
export function cpusFrom(text: string): number | undefined {
  const [, quota, period] = /^(\d+)\s+(\d+)\s*$/.exec(text) ?? [];
  const cpus = Number(quota) / Number(period);
  return cpus > 0 && Number.isFinite(cpus) ? cpus : undefined;
}

/**
 * Returns a limit of memory in bytes.
 *
 * @returns Undefined for `"max"`, and any text that is no limit. Version 1 has
 * an amount that no machine has in place of none.
 */
export function bytesFrom(text: string): number | undefined {
  const bytes = /^\d+\s*$/.test(text) ? Number(text) : 0;
  return bytes > 0 ? bytes : undefined;
}
