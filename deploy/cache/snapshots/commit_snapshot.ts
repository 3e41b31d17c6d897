/**
 * The commit of a downloaded snapshot to its final folder.
 *
 * ```text
 * .emu3/<commit>.incomplete/  ─▶  snapshots/<commit>/  ─▶  refs/<revision>
 *      links, then a check            one rename
 * ```
 *
 * A visible snapshot is always complete.
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
import { decisiveFile } from "./required_files.ts";
import { whatLacks } from "./snapshot_check.ts";

/** Bytes up to which a file may be copied. */
const COPIED_BYTES = 2 ** 24;

/**
 * Makes a snapshot visible, once all its blobs are present.
 *
 * @returns Path of its folder.
 * @throws {RemoteError} When it is not a complete checkpoint.
 */
export async function commitSnapshot(
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
  // Blobs must survive a power loss as the snapshot's links do.
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
  // Without a line break, as Hugging Face's tools compare it.
  await writeWhole(reference, commit);
  return folder;
}

/**
 * Replaces files of another tool or of a corrupt download. The file that makes
 * it a model comes last.
 */
async function moveInto(
  aside: string,
  folder: string,
  files: readonly RemoteFile[],
): Promise<void> {
  const decisive = decisiveFile(files.map(({ path }) => path));
  const last = ({ path }: RemoteFile) => path === decisive ? 1 : 0;
  for (const { path } of files.toSorted((a, b) => last(a) - last(b))) {
    const place = join(folder, path);
    await refuseLinkOut(folder, dirname(place));
    await Deno.mkdir(dirname(place), { recursive: true });
    await Deno.rename(join(aside, path), place);
  }
  await Deno.remove(aside, { recursive: true });
}

/** Links or copies a file into a folder that is not visible yet. */
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
    // No links on this disk: the file moves, as with Hugging Face's tools; a
    // small one may exist under two names.
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
