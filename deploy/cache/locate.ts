/**
 * Where a model's files are on this machine.
 *
 * A source is a folder, or the name of a repository that some tool has already
 * put into a Hugging Face cache:
 *
 * ```text
 * /models/Emu3-Gen            a folder
 * org/name, org/name@rev      hub/models--org--name/snapshots/<commit>
 * hf://org/name@rev           the same
 * ```
 *
 * Places are asked in order; the first that has it wins. Nothing is downloaded.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { hubSnapshot } from "../../lib/loading/hub_cache.ts";

/** What the environment says about places. */
export interface Places {
  /** Folders that hold models by name, such as mounts. */
  readonly modelFolders: readonly string[];
  /** Hugging Face caches (the folder named `hub`). */
  readonly hubCaches: readonly string[];
}

/** A source that is nowhere on this machine. */
export class SourceError extends Error {
  /** Says where `source` was looked for. */
  constructor(
    source: string,
    /** Places that were asked. */
    readonly looked: readonly string[],
  ) {
    super(
      `Cannot find model "${source}": looked in ${
        looked.join(", ")
      }; give a folder, or fetch the repository into a Hugging Face cache first`,
    );
    this.name = "SourceError";
  }
}

/** `org/name`, perhaps with a revision. */
const REPOSITORY =
  /^(?:hf:\/\/)?(?<owner>[\w.-]+)\/(?<name>[\w.-]+?)(?:@(?<revision>[\w./-]+))?$/;

/**
 * Places that the usual variables name, and the mounts of container platforms.
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
  const hub = variable("HF_HUB_CACHE") ?? (hugging && join(hugging, "hub"));
  const given = variable("MODEL_DIR");
  return {
    modelFolders: [
      ...given === undefined ? [] : [given],
      "/mnt/models",
      "/repository",
    ],
    hubCaches: [
      ...hub === undefined ? [] : [hub],
      "/runpod-volume/huggingface-cache/hub",
    ],
  };
}

/**
 * The folder of `source`.
 *
 * @throws {SourceError} Naming every place that was asked.
 */
export async function locate(source: string, places: Places): Promise<string> {
  const looked = [resolve(source)];
  if (await isModel(source)) return resolve(source);
  const repository = REPOSITORY.exec(source)?.groups;
  const name = repository?.["name"] ?? source;
  for (const folder of places.modelFolders) {
    const path = join(folder, name);
    looked.push(path);
    if (await isModel(path)) return path;
  }
  if (repository !== undefined) {
    for (const cache of places.hubCaches) {
      const { owner, name, revision = "main" } = repository;
      const path = join(cache, `models--${owner}--${name}`);
      looked.push(path);
      const snapshot = await hubSnapshot(path, revision);
      if (snapshot !== undefined) return snapshot;
    }
  }
  throw new SourceError(source, looked);
}

async function isModel(folder: string): Promise<boolean> {
  try {
    return (await Deno.stat(join(folder, "config.json"))).isFile;
  } catch {
    // Not there, or not for us to read: the next place is asked.
    return false;
  }
}
