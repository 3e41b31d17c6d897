/**
 * The opt-out of ONNX Runtime's telemetry.
 *
 * Official builds from 1.29 on send usage data over the network. On Linux and
 * macOS, an environment variable disables it before the environment of ONNX
 * Runtime is created; on Windows, a call afterwards does. Both are always done,
 * so that the server sends no data to third parties.
 *
 * Boundary file: calls the C library, because native code reads its
 * environment.
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

/**
 * The environment variable that ONNX Runtime reads when its environment is
 * created.
 */
const VARIABLE = "ORT_DISABLE_TELEMETRY";

/**
 * Disables telemetry for this process. It must be called before an environment
 * of ONNX Runtime is created.
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
