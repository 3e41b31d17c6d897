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
 * Bytes from which on a block is mapped alone, and goes back to the system when
 * it is freed. Without a fixed number glibc raises it up to 32 MiB.
 */
const MAPPED_BYTES = 2 ** 20;

/** Heaps that all threads share; by default each thread gets one of its own. */
const MAX_ARENAS = 2;

/**
 * Makes the C library keep less of what is freed: blocks of a mebibyte or more
 * are mapped alone, and threads share two heaps. Call it before threads start.
 * Without glibc it changes nothing.
 */
export function limitFreeMemory(): void {
  const mallopt = glibc()?.symbols.mallopt;
  mallopt?.(M_ARENA_MAX, MAX_ARENAS);
  mallopt?.(M_MMAP_THRESHOLD, MAPPED_BYTES);
  mallopt?.(M_TRIM_THRESHOLD, MAPPED_BYTES);
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
