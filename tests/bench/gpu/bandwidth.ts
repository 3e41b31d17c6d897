/**
 * The memory bandwidth of a device, by copying on it.
 *
 * @module
 */

import { DTYPE_BYTES } from "../../../models/graph/dtype.ts";
import type { Runtime } from "../../../lib/runtime/runtime.ts";
import { median } from "../timing.ts";

/** Bytes of the copy, and the number of copies. */
const COPY_BYTES = 2 ** 28;
const RUNS = 20;

/**
 * Returns the bytes read and written per second by a copy on the device;
 * undefined if the runtime has none.
 */
export async function copyBandwidth(
  { device, provider }: Runtime,
): Promise<number | undefined> {
  if (device === undefined) return undefined;
  const dtype = provider.computeDtype;
  const width = 1024;
  const rows = COPY_BYTES / width / DTYPE_BYTES[dtype];
  const shape = [1, 1, rows, width];
  using from = await device.allocate(shape, dtype);
  using to = await device.allocate(shape, dtype);
  const all = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i));
  const seconds = await median(RUNS, () => device.gather(from, all, to));
  return 2 * COPY_BYTES / seconds;
}
