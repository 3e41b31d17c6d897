/**
 * The limits of a container: CPU time and memory.
 *
 * A container reports all CPUs and all memory of its machine, but may be
 * limited to a part of both. Threads beyond its CPU limit are throttled in the
 * middle of a step, even while others wait for them; memory beyond its limit
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
 * The limits of a container; undefined if there is none, or if it cannot be
 * read.
 */
export interface CgroupLimits {
  /** CPU time, in CPUs; not always a whole number. */
  readonly cpus: number | undefined;
  /** Maximum memory of all processes of the container together, in bytes. */
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
      // Above this limit the kernel stalls processes instead of ending them.
      bytesFrom(text("memory.high")),
      bytesFrom(text("memory.limit_in_bytes")),
    ]),
  };
}

/**
 * Returns the number of threads that can compute without being throttled.
 *
 * Rounded down: with 1.5 CPUs, two threads that wait for each other would both
 * be idle a quarter of the time, and the event loop and the picture codec also
 * need CPU time.
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
 * @returns Undefined for `"max"`, −1, and any text that is not a quota.
 */
export function cpusFrom(text: string): number | undefined {
  const [, quota, period] = /^(\d+)\s+(\d+)\s*$/.exec(text) ?? [];
  const cpus = Number(quota) / Number(period);
  return cpus > 0 && Number.isFinite(cpus) ? cpus : undefined;
}

/**
 * Returns a limit of memory in bytes.
 *
 * @returns Undefined for `"max"`, any text that is not a limit, and the huge
 * number by which version 1 denotes no limit.
 */
export function bytesFrom(text: string): number | undefined {
  const bytes = /^\d+\s*$/.test(text) ? Number(text) : 0;
  return bytes > 0 ? bytes : undefined;
}
