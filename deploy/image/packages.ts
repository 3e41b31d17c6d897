/**
 * The npm packages that programs load, from the output of `deno info --json`.
 *
 * deno.json does not separate packages of tests from those of the server; the
 * import graph does.
 *
 * @module
 */

/** The relevant part of `deno info --json`. */
export interface ModuleGraph {
  /** Files and packages that are imported, directly or indirectly. */
  readonly modules: readonly {
    /** URL of the module. */
    readonly specifier?: string;
    /** Key of its package in `npmPackages`. */
    readonly npmPackage?: string;
    /** Error for an unreadable module. */
    readonly error?: string;
  }[];
  /** All packages of the lock file. */
  readonly npmPackages: Readonly<
    Record<string, {
      /** Keys of this record. */
      readonly dependencies: readonly string[];
      /** Folder below `node_modules/.deno`. */
      readonly localPath?: string;
    }>
  >;
}

/**
 * Returns names of the folders in `node_modules/.deno` that `graph` needs.
 *
 * @throws {Error} When an imported module is missing.
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

/** Returns the URLs of the files in `graph`. */
export function neededFiles(graph: ModuleGraph): Set<string> {
  const urls = graph.modules.flatMap(({ specifier }) => specifier ?? []);
  return new Set(urls.filter((url) => url.startsWith("file:")));
}

/**
 * Returns true if the server on Linux does not need a file of a package: types,
 * source maps, and native code for other systems.
 *
 * @param path Path from `node_modules`, with slashes.
 * @param arch Architecture, as in `Deno.build.arch`.
 */
export function isDispensable(path: string, arch: string): boolean {
  if (/\.(map|d\.[cm]?ts)$/.test(path)) return true;
  // A command line with packages of its own, which nothing imports.
  if (/\/protobufjs\/cli\//.test(path)) return true;
  const own = arch === "aarch64" ? "arm64" : "x64";
  if (/\/onnxruntime-node\/bin\//.test(path)) {
    // The library itself is opened by lib/runtime/library.ts.
    return !/\/libonnxruntime[^/]*\.so[^/]*$/.test(path) ||
      !path.includes(`/linux/${own}/`);
  }
  if (/\/imagescript\/codecs\/node\/bin\//.test(path)) {
    return !path.endsWith(`/${own}-linux.node`);
  }
  return false;
}
