/**
 * The structure of a model's folder: everything that its own files ask for is
 * there, and every file ends where it says.
 *
 * Finds what hashes cannot: a shard that is not there has none, and a cache
 * without links tells no hash of what it holds.
 *
 * @module
 */

import { join } from "node:path";
import { CheckpointError } from "../../lib/errors.ts";
import { placeholderAt } from "../../lib/loading/placeholder.ts";
import { readSafetensorsHeader } from "../../lib/loading/safetensors.ts";
import { INDEX_FILE, weightFileNames } from "../../lib/loading/weight_files.ts";
import {
  emu3Fault,
  emu3Parts,
  type Fault,
  faultFrom,
} from "./emu3_structure.ts";

/** Longer ones are not parsed: the largest tokenizers have a tenth of it. */
const MAX_JSON_BYTES = 2 ** 28;

/** Files without which weights of this name cannot be used. */
const NEEDS_CONFIG =
  /^(model(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index\.json|emu3\.tiktoken)$/;

/**
 * Returns the faults of the model in `folder`, one a file.
 *
 * @param paths Of its files, within it.
 * @param trusted Those whose content is known to be right.
 */
export async function structureFaults(
  folder: string,
  paths: readonly string[],
  trusted: ReadonlySet<string>,
): Promise<Fault[]> {
  const faults = new Map<string, string>();
  const add = (path: string, reason: string | undefined) => {
    if (reason !== undefined && !faults.has(path)) faults.set(path, reason);
  };
  for (const path of paths) {
    const from = join(folder, path);
    add(path, await placeholderAt(from));
    if (!trusted.has(path)) add(path, await formatFault(from));
  }
  const parts = await emu3Parts(folder);
  const missing = await missingFiles(folder, paths, parts !== undefined);
  for (const { path, reason } of missing) {
    add(path, reason);
  }
  if (parts !== undefined && faults.size === 0) {
    const fault = await emu3Fault(folder, parts);
    if (fault !== undefined) add(fault.path, fault.reason);
  }
  return [...faults].map(([path, reason]) => ({ path, reason }));
}

/** Files that others ask for. */
async function missingFiles(
  folder: string,
  paths: readonly string[],
  emu3: boolean,
): Promise<Fault[]> {
  if (!paths.includes("config.json")) {
    return paths.some((path) => NEEDS_CONFIG.test(path))
      ? [{ path: "config.json", reason: "it is missing" }]
      : [];
  }
  const indexed = paths.includes(INDEX_FILE);
  try {
    const missing: Fault[] = [];
    for (const path of await weightFileNames(folder)) {
      // Of other models a cache may hold the configuration alone.
      if (!emu3 && !indexed || await isFile(join(folder, path))) continue;
      const reason = indexed
        ? `it is missing, ${INDEX_FILE} names it`
        : "it is missing";
      missing.push({ path, reason });
    }
    return missing;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    const fault = faultFrom(folder, error);
    // Other models may have their weights in other formats.
    return emu3 || fault.path.endsWith(".index.json") ? [fault] : [];
  }
}

/** The fault of a file of a format that tells its own end. */
async function formatFault(path: string): Promise<string | undefined> {
  if (path.endsWith(".json")) return await jsonFault(path);
  if (!path.endsWith(".safetensors")) return undefined;
  try {
    const { tensors } = await readSafetensorsHeader(path);
    const end = Math.max(
      ...[...tensors.values()].map(({ offset, length }) => offset + length),
    );
    const { size } = await Deno.stat(path);
    // Without tensors, the end is not known.
    return size > end && tensors.size > 0
      ? `it has ${size - end} bytes after its last tensor`
      : undefined;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return faultFrom(path, error).reason;
  }
}

async function jsonFault(path: string): Promise<string | undefined> {
  let text: string;
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile || size > MAX_JSON_BYTES) return undefined;
    text = new TextDecoder().decode(await Deno.readFile(path));
  } catch (error) {
    return `it cannot be read: ${String(error)}`;
  }
  // Python writes numbers that JSON does not have.
  const strict = text.replaceAll(/(?<=[:,[\s])-?(NaN|Infinity)\b/g, "0");
  try {
    JSON.parse(strict);
    return undefined;
  } catch {
    return "it is not JSON, or is cut off";
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    // Not there, or a link to what is not.
    return false;
  }
}
