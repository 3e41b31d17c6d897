/**
 * The opt-out of ONNX Runtime's telemetry.
 *
 * Official builds from 1.29 on send usage data over the network on Linux and
 * macOS, unless a variable of the process forbids it before the environment is
 * created; on Windows a call afterwards does. Both are done here, always: a
 * server sends no data to third parties.
 *
 * Boundary file: calls the C library, whose environment is the one that native
 * code reads.
 *
 * Source: onnxruntime `docs/Privacy.md`, `posix/telemetry.cc`.
 *
 * @module
 */

const SYMBOLS = {
  setenv: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
} as const;

/** Names of C libraries by operating system. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  linux: ["libc.so.6", "libc.so"],
  darwin: ["libSystem.B.dylib"],
};

/** The variable that is read when an environment of ONNX Runtime is created. */
const VARIABLE = "ORT_DISABLE_TELEMETRY";

/**
 * Forbids telemetry for this process. Must precede the creation of an
 * environment.
 */
export function forbidTelemetry(): void {
  for (const name of LIBRARIES[Deno.build.os] ?? []) {
    let library: Deno.DynamicLibrary<typeof SYMBOLS>;
    try {
      library = Deno.dlopen(name, SYMBOLS);
    } catch {
      // Another C library under another name.
      continue;
    }
    const text = (value: string) => new TextEncoder().encode(`${value}\0`);
    library.symbols.setenv(text(VARIABLE), text("1"), 1);
    library.close();
    return;
  }
}
