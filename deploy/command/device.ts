/**
 * The device of a command, by the variables of a server.
 *
 * @module
 */

import { libraryIn } from "../../lib/runtime/library.ts";
import type { DeviceName } from "../../lib/runtime/provider.ts";
import { Emu3Error } from "../../lib/errors.ts";

/** An error for a variable that names no device or no library. */
export class DeviceSettingError extends Emu3Error {
  /** Creates the error from the fault and its remedy. */
  constructor(reason: string, options?: ErrorOptions) {
    super("bad-device", `Cannot open the device: ${reason}`, options);
  }
}

/** A device, and the library that computes on it. */
export interface CommandDevice {
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
 * @throws {DeviceSettingError} If a value is unknown, or the folder unreadable.
 */
export async function deviceFrom(
  variable: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Promise<CommandDevice> {
  const name = variable("DEVICE") || "auto";
  const device = DEVICES.find((device) => device === name);
  if (device === undefined) {
    throw new DeviceSettingError(
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
    throw new DeviceSettingError(`ONNXRUNTIME_DIR: ${reason}`, { cause });
  }
}
