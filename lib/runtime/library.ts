/**
 * The loader of ONNX Runtime's native library.
 *
 * The npm package `onnxruntime-node` contains one library for each platform.
 * Only these files are used, not the package's JavaScript, whose binding copies
 * every output and blocks the event loop.
 *
 * It does not depend on sessions and tensors.
 *
 * @module
 */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { RuntimeError } from "../errors.ts";

/** An operating system and a processor, by Deno's names. */
export interface Platform {
  /** Operating system, as in `Deno.build.os`. */
  readonly os: string;
  /** Processor, as in `Deno.build.arch`. */
  readonly arch: string;
}

/** The library of each platform, from the package's `bin/napi-v6`. */
const LIBRARIES: Readonly<Record<string, string>> = {
  "linux-x86_64": "linux/x64/libonnxruntime.so.1",
  "linux-aarch64": "linux/arm64/libonnxruntime.so.1",
  "darwin-aarch64": "darwin/arm64/libonnxruntime.1.dylib",
  "windows-x86_64": "win32/x64/onnxruntime.dll",
  "windows-aarch64": "win32/arm64/onnxruntime.dll",
};

/**
 * Returns the library's path inside the package.
 *
 * @throws {RuntimeError} If the package does not support the platform.
 */
export function libraryName(platform: Platform): string {
  const name = LIBRARIES[`${platform.os}-${platform.arch}`];
  if (name === undefined) {
    throw new RuntimeError(
      `Cannot run models on ${platform.os}-${platform.arch}: onnxruntime-node only supports ${
        Object.keys(LIBRARIES).join(", ")
      }`,
    );
  }
  return name;
}

/**
 * Returns the library's path on this machine.
 *
 * @throws {RuntimeError} If the package is not installed or does not support
 * this platform.
 */
export function libraryPath(): string {
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve(
      "onnxruntime-node/package.json",
    );
  } catch (cause) {
    throw new RuntimeError(
      "Cannot find ONNX Runtime: the npm package onnxruntime-node is not installed; run `deno install`",
      { cause },
    );
  }
  const name = libraryName(Deno.build);
  return join(dirname(manifest), "bin", "napi-v6", name);
}

/** A pattern of library files: `libonnxruntime.so.1.30.0`, `.dylib`, `.dll`. */
const LIBRARY_FILE = /^(lib)?onnxruntime(\.so(\.\d+)*|(\.\d+)*\.dylib|\.dll)$/;

/**
 * Returns the library among the files of a folder, such as that of a wheel of
 * onnxruntime-gpu.
 *
 * @param files Names of the files.
 * @throws {RuntimeError} If there is none.
 */
export function libraryIn(folder: string, files: readonly string[]): string {
  // Several names may link to one file; the shortest one has no version.
  const [file] = files.filter((name) => LIBRARY_FILE.test(name))
    .sort((a, b) => a.length - b.length);
  if (file !== undefined) return join(folder, file);
  throw new RuntimeError(
    `Cannot find ONNX Runtime in "${folder}": it contains no libonnxruntime; set ONNXRUNTIME_DIR to a folder with the library and its providers`,
  );
}

/** The only exported symbol of the library, which returns the API. */
export const SYMBOLS = {
  OrtGetApiBase: { parameters: [], result: "pointer" },
} as const;

/** An opened library. */
export type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/**
 * Opens the library at `path`.
 *
 * @throws {RuntimeError} If the file, a library that it links to, or
 * `--allow-ffi` is missing.
 */
export function openLibrary(path: string): Library {
  try {
    return Deno.dlopen(path, SYMBOLS);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new RuntimeError(
      `Cannot open ONNX Runtime at "${path}": ${reason}; run \`deno install\`, and on Linux install libstdc++6`,
      { cause },
    );
  }
}

/**
 * Returns the reason that the library at `path` cannot be loaded; undefined if
 * it can.
 */
export function loadProblem(path: string): string | undefined {
  try {
    Deno.dlopen(path, {}).close();
    return undefined;
  } catch (error) {
    // Deno repeats the prefix for each attempt.
    return messageOf(error).replace(/^(Could not open library: )+/, "");
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
