/**
 * The return of free memory inside the process to the system.
 *
 * V8 collects garbage when memory is allocated, and the C library keeps freed
 * memory for the next allocation. A server that is idle after a busy time would
 * therefore hold gigabytes of dead pictures until it is busy again.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A function that collects all garbage of the calling thread. */
type Collect = () => void;

let collect: Collect | undefined;

/**
 * Returns V8's own function; the flag that exposes it takes effect in new
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
 * another one. Without glibc the second step is omitted.
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
    // Another C library, which releases memory in its own way.
    library = null;
  }
  return library;
}
