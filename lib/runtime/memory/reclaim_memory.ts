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
  mallopt: { parameters: ["i32", "i32"], result: "i32" },
} as const;

/** Parameters of `mallopt`, with their numbers in malloc.h. */
const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;
const M_ARENA_MAX = -8;

/**
 * Bytes from which on a block is mapped alone: the most that glibc allows. With
 * a mebibyte memory comes back sooner, and vision takes 15 % longer.
 */
const MAPPED_BYTES = 2 ** 25;

/** Free bytes at the end of a heap that stay for the next allocation. */
const KEPT_BYTES = 2 ** 28;

/** Heaps that all threads share; by default each thread gets one of its own. */
const MAX_ARENAS = 2;

/**
 * Makes the C library keep less of what is freed, and return it when it is
 * trimmed: threads share two heaps. Call it before threads start.
 *
 * @returns False without glibc, where nothing changes.
 */
export function limitFreeMemory(): boolean {
  const mallopt = glibc()?.symbols.mallopt;
  const settings = [
    [M_ARENA_MAX, MAX_ARENAS],
    [M_MMAP_THRESHOLD, MAPPED_BYTES],
    [M_TRIM_THRESHOLD, KEPT_BYTES],
  ] as const;
  return settings.every(([name, value]) => mallopt?.(name, value) === 1);
}

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
