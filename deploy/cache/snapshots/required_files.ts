/**
 * The files that a snapshot needs: those of a model, or of an adapter.
 *
 * ```text
 * model      config.json, all files of weights
 * adapter    adapter_config.json, adapter_model.safetensors
 * ```
 *
 * @module
 */

import {
  ADAPTER_CONFIG_FILE,
  ADAPTER_WEIGHTS_FILE,
} from "../../../lib/loading/adapter_files.ts";
import { weightFileNames } from "../../../lib/loading/weight_files.ts";

/** Name of the file that makes a folder a model. */
const CONFIG_FILE = "config.json";

/** The files of an adapter; a server reads no others. */
export const ADAPTER_FILES: readonly string[] = [
  ADAPTER_CONFIG_FILE,
  ADAPTER_WEIGHTS_FILE,
];

/**
 * Returns true if files are an adapter's. A model may have an adapter's
 * settings beside its own weights, and an adapter a copy of its base's
 * configuration.
 *
 * @param paths Paths relative to the folder.
 */
export function isAdapter(paths: readonly string[]): boolean {
  return paths.includes(ADAPTER_CONFIG_FILE) &&
    !paths.some((path) =>
      /^[^/]+\.safetensors$/.test(path) && path !== ADAPTER_WEIGHTS_FILE
    );
}

/**
 * Returns the file that makes others a model or an adapter; undefined if there
 * is none.
 */
export function decisiveFile(paths: readonly string[]): string | undefined {
  if (isAdapter(paths)) return ADAPTER_CONFIG_FILE;
  return paths.find((path) => path === CONFIG_FILE);
}

/**
 * Returns the names of the files that the model or adapter in `folder` needs.
 *
 * @throws {CheckpointError} If its index of weights is damaged.
 */
export async function requiredFiles(
  folder: string,
): Promise<readonly string[]> {
  if (isAdapter(await namesIn(folder))) return ADAPTER_FILES;
  return [CONFIG_FILE, ...await weightFileNames(folder)];
}

/** Returns the names of what is in `folder`; none if it is not readable. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name);
  } catch {
    // Missing or unreadable: it holds no model.
    return [];
  }
}
