/**
 * Where ONNX Runtime's native library lies, and how to open it.
 *
 * The npm package `onnxruntime-node` carries one library a platform. Only those
 * files are used, never the package's JavaScript: its binding copies every
 * output and blocks the event loop.
 *
 * Knows nothing of sessions or tensors.
 *
 * @module
 */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { RuntimeError } from "../errors.ts";

/** Operating system and processor, in Deno's words. */
export interface Platform {
  /** As `Deno.build.os`. */
  readonly os: string;
  /** As `Deno.build.arch`. */
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
 * The library's path inside the package.
 *
 * @throws {RuntimeError} When the package carries none for the platform.
 */
export function libraryName(platform: Platform): string {
  const name = LIBRARIES[`${platform.os}-${platform.arch}`];
  if (name === undefined) {
    throw new RuntimeError(
      `Cannot run models on ${platform.os}-${platform.arch}: onnxruntime-node carries a library for ${
        Object.keys(LIBRARIES).join(", ")
      } only`,
    );
  }
  return name;
}

/**
 * The library's path on this machine.
 *
 * @throws {RuntimeError} When the package is not installed or holds no library
 * for this platform.
 */
export function libraryPath(): string {
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve(
      "onnxruntime-node/package.json",
    );
  } catch (cause) {
    throw new RuntimeError(
      "Cannot find ONNX Runtime: the npm package onnxruntime-node is not installed, run `deno install`",
      { cause },
    );
  }
  const name = libraryName(Deno.build);
  return join(dirname(manifest), "bin", "napi-v6", name);
}

/** The one symbol that the library exports; everything else hangs off it. */
export const SYMBOLS = {
  OrtGetApiBase: { parameters: [], result: "pointer" },
} as const;

/** An opened library. */
export type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/**
 * Opens the library at `path`.
 *
 * @throws {RuntimeError} When the file or something that it links to is
 * missing, or `--allow-ffi` is.
 */
export function openLibrary(path: string): Library {
  try {
    return Deno.dlopen(path, SYMBOLS);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RuntimeError(
      `Cannot open ONNX Runtime at "${path}": ${reason}; run \`deno install\`, and on Linux install libstdc++6`,
      { cause },
    );
  }
}
