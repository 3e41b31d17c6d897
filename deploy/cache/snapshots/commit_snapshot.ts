/**
 * A downloaded snapshot, put where others find it.
 *
 * ```text
 * .emu3/<commit>.incomplete/  ─▶  snapshots/<commit>/  ─▶  refs/<revision>
 *      links, then a check            one rename
 * ```
 *
 * Whoever finds a snapshot finds all of it.
 *
 * @module
 */

import { dirname, join, relative } from "node:path";
import { refuseLinkOut } from "../../../lib/loading/plain_file.ts";
import { onDisk, syncFolder, writeWhole } from "../base/disk.ts";
import { blobName, keepFiles } from "./hub_layout.ts";
import {
  RemoteError,
  type RemoteFile,
  type RemoteSnapshot,
} from "../net/remote.ts";
import { whatLacks } from "./snapshot_check.ts";

/** Smaller files may be there twice. */
const COPIED_BYTES = 2 ** 24;

/**
 * Makes a snapshot whose blobs are all there visible.
 *
 * @returns Its folder.
 * @throws {RemoteError} When it is no whole checkpoint.
 */
export async function reveal(
  repository: string,
  snapshot: RemoteSnapshot,
  { revision, place }: { readonly revision: string; readonly place: string },
): Promise<string> {
  const { commit, files } = snapshot;
  const folder = join(repository, "snapshots", commit);
  // At the same depth, so that its links lead to the same blobs.
  const aside = join(repository, ".emu3", `${commit}.incomplete`);
  await onDisk(aside, async () => {
    await Deno.remove(aside, { recursive: true }).catch(() => {});
    for (const file of files) await link(repository, aside, file);
  });
  const lacks = await whatLacks(aside);
  if (lacks !== undefined) {
    await Deno.remove(aside, { recursive: true });
    throw new RemoteError(`Cannot use ${place}: it ${lacks}`, {
      type: "elsewhere",
    });
  }
  // What a snapshot links to must outlive a loss of power as it does.
  await syncFolder(join(repository, "blobs"));
  await keepFiles(repository, snapshot, aside);
  await onDisk(folder, async () => {
    await refuseLinkOut(repository, folder);
    await Deno.mkdir(dirname(folder), { recursive: true });
    if (await isThere(folder)) await moveInto(aside, folder, files);
    else await Deno.rename(aside, folder);
  });
  await syncFolder(dirname(folder));
  const reference = join(repository, "refs", revision);
  await onDisk(reference, async () => {
    await refuseLinkOut(repository, dirname(reference));
    await Deno.mkdir(dirname(reference), { recursive: true });
  });
  // Without a line's end, as Hugging Face's tools compare it.
  await writeWhole(reference, commit);
  return folder;
}

/**
 * Replaces what another tool, or a spoilt download, has left, file by file; what
 * makes it a model comes last.
 */
async function moveInto(
  aside: string,
  folder: string,
  files: readonly RemoteFile[],
): Promise<void> {
  const last = ({ path }: RemoteFile) => path === "config.json" ? 1 : 0;
  for (const { path } of files.toSorted((a, b) => last(a) - last(b))) {
    const place = join(folder, path);
    await refuseLinkOut(folder, dirname(place));
    await Deno.mkdir(dirname(place), { recursive: true });
    await Deno.rename(join(aside, path), place);
  }
  await Deno.remove(aside, { recursive: true });
}

/** Puts a file into a folder that nobody sees yet. */
async function link(
  repository: string,
  folder: string,
  file: RemoteFile,
): Promise<void> {
  const place = join(folder, file.path);
  const blob = join(repository, "blobs", blobName(file));
  await Deno.mkdir(dirname(place), { recursive: true });
  try {
    await Deno.symlink(relative(dirname(place), blob), place);
  } catch {
    // No links on this disk: as Hugging Face's tools do, it moves there; what
    // is small may stand there under two names.
    if (file.size < COPIED_BYTES) await Deno.copyFile(blob, place);
    else await Deno.rename(blob, place);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    // The usual case.
    return false;
  }
}
