/**
 * The machine of a command: a device, its threads and its free memory.
 *
 * @module
 */

import {
  containerAllowance,
  threadsWithin,
} from "../../lib/runtime/memory/cgroup_limits.ts";
import { openRuntime } from "../../lib/runtime/open_runtime.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import type { CommandDevice } from "./device.ts";

/** An open device, and the bounds of this machine. */
export interface CommandMachine {
  /** Runtime on the device; its opener disposes of it. */
  readonly runtime: Runtime;
  /** Number of threads. */
  readonly threads: number;
  /** Free bytes of the device, or of this machine within its container. */
  readonly availableBytes: number;
}

/** Opens `device`. `warn` takes lines about what it lacks. */
export async function openMachine(
  device: CommandDevice,
  warn: (line: string) => void,
): Promise<CommandMachine> {
  const allowance = containerAllowance();
  const threads = threadsWithin(navigator.hardwareConcurrency, allowance);
  const runtime = await openRuntime({
    ...device,
    threads,
    computeDtype: undefined,
    deviceMemoryBytes: undefined,
    warn,
  });
  const { available } = Deno.systemMemoryInfo();
  const { memoryBytes = Infinity } = allowance;
  const availableBytes = runtime.deviceMemoryBytes ??
    Math.min(available, memoryBytes);
  return { runtime, threads, availableBytes };
}
