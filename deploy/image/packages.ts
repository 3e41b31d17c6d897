/**
 * Which npm packages programs load, from what `deno info --json` says of them.
 *
 * deno.json does not tell packages of tests from packages of the server; the
 * graph of imports does.
 *
 * @module
 */

/** The part of `deno info --json` that is looked at. */
export interface ModuleGraph {
  /** Files and packages that are imported, however far around. */
  readonly modules: readonly {
    /** The package that it is: a key of `npmPackages`. */
    readonly npmPackage?: string;
    /** Why it cannot be read. */
    readonly error?: string;
  }[];
  /** All packages of the lock file. */
  readonly npmPackages: Readonly<
    Record<string, {
      /** Keys of this record. */
      readonly dependencies: readonly string[];
      /** Its folder, below `node_modules/.deno`. */
      readonly localPath?: string;
    }>
  >;
}

/**
 * Names of the folders in `node_modules/.deno` that `graph` needs.
 *
 * @throws {Error} When something that is imported is not there.
 */
export function neededFolders(graph: ModuleGraph): Set<string> {
  const broken = graph.modules.find(({ error }) => error !== undefined);
  if (broken !== undefined) {
    throw new Error(`Cannot follow imports: ${broken.error}`);
  }
  const seen = new Set<string>();
  const folders = new Set<string>();
  const follow = (id: string) => {
    if (seen.has(id)) return;
    seen.add(id);
    const found = graph.npmPackages[id];
    const folder = found?.localPath?.match(/node_modules\/\.deno\/([^/]+)/)
      ?.[1];
    if (found === undefined || folder === undefined) {
      throw new Error(
        `Cannot follow imports: "${id}" is not installed, run \`deno ci\``,
      );
    }
    folders.add(folder);
    found.dependencies.forEach(follow);
  };
  for (const { npmPackage } of graph.modules) {
    if (npmPackage !== undefined) follow(npmPackage);
  }
  return folders;
}

/**
 * Whether the server on Linux can do without a file of a package: types, source
 * maps, and native code for other systems.
 *
 * @param path From `node_modules`, with slashes.
 * @param arch As `Deno.build.arch`.
 */
export function isDispensable(path: string, arch: string): boolean {
  if (/\.(map|d\.[cm]?ts)$/.test(path)) return true;
  // A command line with packages of its own, which nothing imports.
  if (/\/protobufjs\/cli\//.test(path)) return true;
  const own = arch === "aarch64" ? "arm64" : "x64";
  if (/\/onnxruntime-node\/bin\//.test(path)) {
    // The library alone is opened, by lib/runtime/library.ts.
    return !/\/libonnxruntime[^/]*\.so[^/]*$/.test(path) ||
      !path.includes(`/linux/${own}/`);
  }
  if (/\/imagescript\/codecs\/node\/bin\//.test(path)) {
    return !path.endsWith(`/${own}-linux.node`);
  }
  return false;
}
