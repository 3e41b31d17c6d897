/**
 * The device that encodes, by the variables of a server.
 *
 * @module
 */

import { libraryIn } from "../../lib/runtime/library.ts";
import type { DeviceName } from "../../lib/runtime/provider.ts";
import { PreparationError } from "./preparation_error.ts";

/** A device, and the library that computes on it. */
export interface EncodingDevice {
  /** Name of the device. */
  readonly device: DeviceName | "auto";
  /** File of ONNX Runtime's library; undefined for that of the npm package. */
  readonly library: string | undefined;
}

/** The names of DEVICE. */
const DEVICES = ["auto", "cpu", "cuda", "webgpu"] as const;

/**
 * Returns the device that `DEVICE` and `ONNXRUNTIME_DIR` name.
 *
 * @param variable Looks up an environment variable.
 * @throws {PreparationError} If a value is unknown, or the folder unreadable.
 */
export async function deviceFrom(
  variable: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Promise<EncodingDevice> {
  const name = variable("DEVICE") || "auto";
  const device = DEVICES.find((device) => device === name);
  if (device === undefined) {
    throw new PreparationError(
      `DEVICE "${name}" is unknown, expected ${DEVICES.join(", ")}`,
    );
  }
  const folder = variable("ONNXRUNTIME_DIR");
  return { device, library: folder ? await libraryOf(folder) : undefined };
}

async function libraryOf(folder: string): Promise<string> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return libraryIn(folder, entries.map(({ name }) => name));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PreparationError(`ONNXRUNTIME_DIR: ${reason}`, { cause });
  }
}
