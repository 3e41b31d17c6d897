/**
 * The search for a model's files on this machine.
 *
 * A source is a folder, or the name of a model that a download, by this program
 * or another tool, has already put into a Hugging Face cache:
 *
 * ```text
 * /models/Emu3-Gen            a folder
 * org/name, org/name@rev      hub/models--org--name/snapshots/<commit>
 * hf://org/name@rev           the same
 * ```
 *
 * Places are searched in order, and the first that has the whole model wins.
 * Nothing is downloaded.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { hubSnapshot } from "../../lib/loading/hub_cache.ts";
import { repositoryName } from "./snapshots/hub_layout.ts";
import { type RemoteVariables, remoteVariables } from "./net/remote_for.ts";
import { decisiveFile, namesIn } from "./snapshots/required_files.ts";
import { whatLacks } from "./snapshots/snapshot_check.ts";
import { parseSources, type Source, withoutSecrets } from "./source.ts";

/** The places to search, as configured by the environment. */
export interface Places {
  /** Folders that hold models by name, such as mounts. */
  readonly modelFolders: readonly string[];
  /** Hugging Face caches (the folder named `hub`). */
  readonly hubCaches: readonly string[];
  /** Settings for downloads; without them nothing is downloaded. */
  readonly downloads?: Downloads;
}

/** Settings for downloading models that are not on this machine. */
export interface Downloads {
  /** The Hugging Face cache that receives downloads. */
  readonly cache: string;
  /** Environment variables that remotes read. */
  readonly variables: RemoteVariables;
  /** True to hash cached files before they are used. */
  readonly verify: boolean;
}

/** The error thrown for a source that cannot be found. */
export class SourceError extends Error {
  /** Creates an error that lists where `source` was looked for. */
  constructor(
    source: string,
    /** Places that were searched on this machine. */
    readonly searched: readonly string[],
    /** Replies of remote sources; undefined if none was queried. */
    readonly answers: readonly string[] = [
      "name a folder, or download the repository into a Hugging Face cache first",
    ],
    options?: ErrorOptions,
  ) {
    super(
      `Cannot find model "${
        source.split(/([\s,]+)/).map(withoutSecrets).join("")
      }": ${
        [
          ...searched.length === 0 ? [] : [`looked in ${searched.join(", ")}`],
          ...answers,
        ].join("; ")
      }`,
      options,
    );
    this.name = "SourceError";
  }
}

/**
 * Returns the places that the usual variables name, and the mounts of container
 * platforms.
 *
 * @param variable Looks up an environment variable.
 */
export function placesFrom(
  variable: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Places {
  const home = variable("HOME") ?? variable("USERPROFILE");
  const cacheHome = variable("XDG_CACHE_HOME") ??
    (home && join(home, ".cache"));
  const hugging = variable("HF_HOME") ??
    (cacheHome && join(cacheHome, "huggingface"));
  const hub = variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE") ??
    (hugging && join(hugging, "hub"));
  const given = variable("MODEL_DIR");
  const own = variable("MODEL_CACHE")?.trim() || undefined;
  const cache = own ?? hub;
  return {
    modelFolders: [
      ...given === undefined ? [] : [given],
      "/mnt/models",
      "/repository",
    ],
    hubCaches: [
      ...own === undefined ? [] : [own],
      ...hub === undefined || hub === own ? [] : [hub],
      "/runpod-volume/huggingface-cache/hub",
    ],
    ...cache === undefined ? {} : {
      downloads: {
        cache,
        variables: remoteVariables(variable),
        verify: variable("VERIFY")?.trim() === "full",
      },
    },
  };
}

/**
 * Returns the folder of `source`.
 *
 * @throws {SourceError} Naming every place that was searched.
 */
export async function locate(source: string, places: Places): Promise<string> {
  if (await isModel(source)) return resolve(source);
  const searched: string[] = [];
  for (const one of sourcesOf(source)) {
    const search = await searchLocal(one, places);
    if (search.found !== undefined) return search.found.folder;
    searched.push(...search.searched);
  }
  throw new SourceError(source, searched);
}

/**
 * Returns the sources that `text` lists.
 *
 * @throws {SourceError} When one of them is not a valid source.
 */
export function sourcesOf(text: string): readonly Source[] {
  try {
    return parseSources(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SourceError(text, [], [cause.message], { cause });
  }
}

/**
 * Returns true if `folder` holds a model or an adapter; `folder` may be any
 * path.
 */
export async function isModel(folder: string): Promise<boolean> {
  const decisive = decisiveFile(await namesIn(folder));
  if (decisive === undefined) return false;
  // A dangling link is no file: the search continues with the next place.
  return await Deno.stat(join(folder, decisive))
    .then(({ isFile }) => isFile, () => false);
}

/** The result of a search. */
export interface Search {
  /** Location of the model; undefined if it was not found. */
  readonly found:
    | { readonly folder: string; readonly cached: boolean }
    | undefined;
  /** Places searched without success, and what each of them lacks. */
  readonly searched: readonly string[];
}

/** Searches this machine for `source`. */
export async function searchLocal(
  source: Source,
  { modelFolders, hubCaches }: Places,
): Promise<Search> {
  const searched: string[] = [];
  const byName = source.type !== "folder" || !/[/\\]/.test(source.text);
  const folders = [
    ...source.type === "folder" ? [resolve(source.path)] : [],
    ...source.type === "hub" && !/^hf:/i.test(source.text)
      ? [resolve(source.text)]
      : [],
    ...byName ? modelFolders.map((folder) => join(folder, source.name)) : [],
  ];
  for (const folder of folders) {
    if (await isModel(folder)) {
      return { found: { folder, cached: false }, searched };
    }
    searched.push(folder);
  }
  if (source.type === "folder") return { found: undefined, searched };
  const revision = source.type === "hub" ? source.revision : "main";
  for (const cache of hubCaches) {
    const repository = join(cache, repositoryName(source));
    const snapshot = await hubSnapshot(repository, revision);
    const lacks = snapshot && await whatLacks(snapshot);
    if (snapshot !== undefined && lacks === undefined) {
      return { found: { folder: snapshot, cached: true }, searched };
    }
    searched.push(lacks === undefined ? repository : `${snapshot} (${lacks})`);
  }
  return { found: undefined, searched };
}
