/**
 * The end of the process while native code may still run.
 *
 * `Deno.exit` runs the destructors of native libraries while their threads may
 * still use the freed memory, so the process may crash instead of returning its
 * code. `_exit` runs no destructors; completed writes are kept.
 *
 * @module
 */

const SYMBOLS = { _exit: { parameters: ["i32"], result: "void" } } as const;

const LIBRARIES: Partial<Record<typeof Deno.build.os, string>> = {
  linux: "libc.so.6",
  darwin: "libSystem.dylib",
};

/** Ends the process with `code`, even while native code runs. */
export function endProcess(code: number): never {
  const name = LIBRARIES[Deno.build.os];
  try {
    if (name !== undefined) Deno.dlopen(name, SYMBOLS).symbols._exit(code);
  } catch {
    // Another C library under another name.
  }
  Deno.exit(code);
}
