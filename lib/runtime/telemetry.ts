/**
 * ONNX Runtime does not tell its makers about who runs it.
 *
 * Official builds from 1.29 on send usage data over the network on Linux and
 * macOS, unless a variable of the process forbids it before the environment is
 * made; on Windows a call afterwards does. Both are done here, always: what
 * runs a model has no business with anybody else.
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

/** C libraries by operating system. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  linux: ["libc.so.6", "libc.so"],
  darwin: ["libSystem.B.dylib"],
};

/** Looked at when an environment of ONNX Runtime is made. */
const VARIABLE = "ORT_DISABLE_TELEMETRY";

/** Forbids it, for this process. Before the library makes an environment. */
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
