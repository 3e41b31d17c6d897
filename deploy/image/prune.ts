/**
 * The prune step of the Containerfile: keeps of `node_modules` only files that
 * the given programs load on this processor. Works in the current folder.
 *
 * ```sh
 * deno run -A deploy/image/prune.ts functions/main.ts deploy/quantize/main.ts
 * ```
 *
 * With `--only` first, of sources and packages only the imports of the programs are
 * kept, and the threads beside them: for programs that run no model.
 *
 * @module
 */

import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { isDispensable, neededFiles, neededFolders } from "./packages.ts";

/** Packages whose files are opened by name, without imports. */
const OPENED = ["onnxruntime-node", "swagger-ui-dist"];

const STORE = "node_modules/.deno";

/** Folders of sources, of which `--only` keeps what the programs import. */
const SOURCES = ["deploy", "functions", "lib", "models"];

if (import.meta.main) {
  const [flag, ...programs] = Deno.args;
  if (flag === "--only") await pruneAll(programs);
  else await prune(Deno.args);
}

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
  await prunePackages((name) =>
    needed.has(name) || OPENED.some((one) => name.startsWith(`${one}@`))
  );
}

/**
 * Removes packages and sources that neither `programs` import nor the threads
 * beside what they import.
 *
 * @throws {Error} When their imports cannot be resolved.
 */
export async function pruneAll(programs: readonly string[]): Promise<void> {
  const graphs = await Promise.all(programs.map(graphOf));
  const folders = new Set(
    graphs.flatMap((graph) => [...neededFiles(graph)]).map(folderOf),
  );
  for (const thread of await threads(".")) {
    const own = folders.has(folderOf(pathToFileURL(thread).href));
    if (own) graphs.push(await graphOf(thread));
  }
  const packages = new Set(
    graphs.flatMap((graph) => [...neededFolders(graph)]),
  );
  const files = new Set(graphs.flatMap((graph) => [...neededFiles(graph)]));
  await prunePackages((name) => packages.has(name));
  for (const folder of SOURCES) {
    if (!await exists(folder)) continue;
    await removeFiles(folder, (path) => !files.has(pathToFileURL(path).href));
    await removeDangling(folder);
  }
}

function folderOf(url: string): string {
  return new URL(".", url).href;
}

/** Removes packages but those in folders that `needed` accepts. */
async function prunePackages(
  needed: (folder: string) => boolean,
): Promise<void> {
  for (const { name } of await entriesOf(STORE)) {
    if (name === "node_modules" || needed(name)) continue;
    await Deno.remove(join(STORE, name), { recursive: true });
  }
  await removeFiles(
    STORE,
    (path) => isDispensable(relative("node_modules", path), Deno.build.arch),
  );
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
    else if (isFile && dispensable(path)) await Deno.remove(path);
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
