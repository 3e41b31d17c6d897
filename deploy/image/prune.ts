/**
 * The prune step of the Containerfile: keeps of `node_modules` only files that
 * the given programs load on this processor. Works in the current folder.
 *
 * ```sh
 * deno run -A deploy/image/prune.ts functions/main.ts deploy/quantize/main.ts
 * ```
 *
 * @module
 */

import { join, relative } from "node:path";
import { isDispensable, neededFolders } from "./packages.ts";

/** Packages whose files are opened by name, without imports. */
const OPENED = ["onnxruntime-node", "swagger-ui-dist"];

const STORE = "node_modules/.deno";

if (import.meta.main) await prune(Deno.args);

/**
 * Removes everything that none of `programs` needs.
 *
 * @throws {Error} When their imports cannot be resolved.
 */
export async function prune(programs: readonly string[]): Promise<void> {
  const needed = new Set<string>();
  for (const program of [...programs, ...await threads(".")]) {
    for (const folder of neededFolders(await graphOf(program))) {
      needed.add(folder);
    }
  }
  for (const { name } of await entriesOf(STORE)) {
    const opened = OPENED.some((one) => name.startsWith(`${one}@`));
    if (name === "node_modules" || opened || needed.has(name)) continue;
    await Deno.remove(join(STORE, name), { recursive: true });
  }
  await removeFiles(STORE, (path) => isDispensable(path, Deno.build.arch));
  await removeDangling("node_modules");
}

/** Returns the programs of threads: no import leads to them. */
async function threads(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (name === "node_modules") continue;
    if (isDirectory) found.push(...await threads(path));
    else if (/_(thread|worker)\.ts$/.test(name)) found.push(path);
  }
  return found;
}

async function graphOf(program: string) {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", program],
  }).output();
  if (success) return JSON.parse(new TextDecoder().decode(stdout));
  throw new Error(
    `Cannot follow imports of ${program}: ${new TextDecoder().decode(stderr)}`,
  );
}

async function removeFiles(
  folder: string,
  dispensable: (path: string) => boolean,
): Promise<void> {
  for (const { name, isDirectory, isFile } of await entriesOf(folder)) {
    const path = join(folder, name);
    if (isDirectory) await removeFiles(path, dispensable);
    else if (isFile && dispensable(relative("node_modules", path))) {
      await Deno.remove(path);
    }
  }
}

/** Removes dangling links and empty folders. */
async function removeDangling(folder: string): Promise<void> {
  for (
    const { name, isDirectory, isSymlink } of await entriesOf(folder)
  ) {
    const path = join(folder, name);
    if (isDirectory) await removeDangling(path);
    else if (isSymlink && !await exists(path)) await Deno.remove(path);
  }
  if ((await entriesOf(folder)).length === 0) await Deno.remove(folder);
}

/** Reads all entries at once, so that removals do not disturb the iteration. */
async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  return await Array.fromAsync(Deno.readDir(folder));
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
