/**
 * The structure check of a model's folder: all files that its own files refer
 * to are there, and each has its stated length.
 *
 * It finds faults that hashes cannot: a missing shard has no hash, and a cache
 * without links provides no hashes of its files.
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

/** Bytes of JSON that is parsed: ten times the largest tokenizers. */
const MAX_JSON_BYTES = 2 ** 28;

/** Pattern of weights that need a configuration beside them. */
const NEEDS_CONFIG =
  /^(model(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index\.json|emu3\.tiktoken)$/;

/**
 * Returns the faults of the model in `folder`, one per file.
 *
 * @param paths Paths of its files, within it.
 * @param trusted Paths whose content is known to be intact.
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

/** Returns missing files that others refer to. */
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
      // Caches may hold the configuration alone of other models.
      if (!emu3 && !indexed || await isFile(join(folder, path))) continue;
      const reason = indexed
        ? `it is missing, but listed in ${INDEX_FILE}`
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

/** Returns the fault of a file whose format states its length. */
async function formatFault(path: string): Promise<string | undefined> {
  if (path.endsWith(".json")) return await jsonFault(path);
  if (!path.endsWith(".safetensors")) return undefined;
  try {
    const { tensors } = await readSafetensorsHeader(path);
    const end = Math.max(
      ...[...tensors.values()].map(({ offset, length }) => offset + length),
    );
    const { size } = await Deno.stat(path);
    // The length is unknown without tensors.
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
    return "it is not JSON, or is truncated";
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    // Missing file, or a dangling link.
    return false;
  }
}
