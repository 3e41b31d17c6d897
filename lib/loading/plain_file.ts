/**
 * The writer of plain files: refuses a symbolic link, a folder or a pipe at
 * their paths.
 *
 * A process with write access to a folder could create a link there, and a
 * write through the link would change a file elsewhere.
 *
 * @module
 */

import { isAbsolute, join, relative, sep } from "node:path";

/** An error for another object at the path of a plain file. */
export class PlainFileError extends Error {
  /** The system's error code for too many symbolic links. */
  readonly code = "ELOOP";

  /** Creates an error about the object at `path`. */
  constructor(
    /** Path of the object. */
    readonly path: string,
    /** Kind of the object, with an article. */
    readonly kind: string,
  ) {
    super(`"${path}" is ${kind}; remove it`);
    this.name = "PlainFileError";
  }
}

/**
 * Opens the file at `path` for reading and writing, and creates it if it does
 * not exist. It is not truncated, so a file opened by mistake is unchanged.
 *
 * @throws {PlainFileError} If it is not a plain file.
 */
export async function openPlainFile(
  path: string,
  options: Pick<Deno.OpenOptions, "append" | "mode"> = {},
): Promise<Deno.FsFile> {
  const openOptions = { read: true, write: true, ...options };
  try {
    // Exclusive creation does not follow links.
    return await Deno.open(path, { ...openOptions, createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  // Checked before opening, since opening a pipe blocks until its other end is
  // opened.
  const info = await Deno.lstat(path);
  // Only the administrator can create a device, such as /dev/full.
  if (!info.isFile && !info.isCharDevice) {
    throw new PlainFileError(path, kindOf(info));
  }
  const file = await Deno.open(path, openOptions);
  try {
    const { dev, ino } = await file.stat();
    if (dev === info.dev && ino === info.ino) return file;
    throw new PlainFileError(
      path,
      "a file that was replaced while it was opened",
    );
  } catch (error) {
    file.close();
    throw error;
  }
}

function kindOf({ isSymlink, isDirectory }: Deno.FileInfo): string {
  if (isSymlink) return "a symbolic link";
  return isDirectory ? "a folder" : "a pipe, a socket or a device";
}

/**
 * Writes the file at `path`, which may exist, from its first byte.
 *
 * @throws {PlainFileError} If it is not a plain file.
 */
export async function writePlainFile(
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  using file = await openPlainFile(path);
  await file.truncate(0);
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
}

/**
 * Refuses a path under `root` that a link leads out of it. `root` itself may be
 * a link; parts that do not exist yet are allowed.
 *
 * @throws {PlainFileError} With the path of the link.
 */
export async function refuseLinkOut(root: string, path: string): Promise<void> {
  let real: string;
  try {
    real = await Deno.realPath(root);
  } catch (error) {
    // A missing part is not a link.
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  let at = root;
  for (const name of relative(root, path).split(sep)) {
    at = join(at, name);
    try {
      if (!(await Deno.lstat(at)).isSymlink) continue;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    const leads = await Deno.realPath(at).catch(() => undefined);
    if (leads === undefined || !isWithin(real, leads)) {
      throw new PlainFileError(at, `a link to a file outside ${root}`);
    }
  }
}

/**
 * Returns true if the real path `path` is in the folder whose real path is
 * `folder`.
 */
export function isWithin(folder: string, path: string): boolean {
  const within = relative(folder, path);
  return within !== "" && !isAbsolute(within) &&
    within.split(sep)[0] !== "..";
}
