/**
 * The reclaimer: returns free memory of the process to the system.
 *
 * V8 collects garbage only when memory is allocated, and the C library keeps
 * freed memory for the next allocation. So an idle server would hold gigabytes
 * of unused pictures until the next requests.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A function that collects all garbage of the calling thread. */
type Collect = () => void;

let collect: Collect | undefined;

/**
 * Returns the collector of V8; the flag that exposes it takes effect in new
 * contexts.
 */
function collector(): Collect {
  if (collect !== undefined) return collect;
  setFlagsFromString("--expose-gc");
  collect = runInNewContext("gc") as Collect;
  setFlagsFromString("--no-expose-gc");
  return collect;
}

const SYMBOLS = {
  "malloc_trim": { parameters: ["usize"], result: "i32", nonblocking: true },
} as const;

/**
 * Collects garbage on this thread, then trims the heap of the C library on
 * another thread. The second step requires glibc.
 */
export async function reclaimMemory(): Promise<void> {
  collector()();
  const trim = glibc()?.symbols.malloc_trim;
  await trim?.(0n);
}

let library: Deno.DynamicLibrary<typeof SYMBOLS> | null | undefined;

function glibc(): Deno.DynamicLibrary<typeof SYMBOLS> | null {
  if (library !== undefined) return library;
  try {
    library = Deno.build.os === "linux"
      ? Deno.dlopen("libc.so.6", SYMBOLS)
      : null;
  } catch {
    // Another C library, without this function.
    library = null;
  }
  return library;
}
