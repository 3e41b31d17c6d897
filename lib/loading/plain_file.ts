/**
 * Files that are opened for writing only if they are plain files: a symbolic
 * link, a folder or a pipe that stands in their place is refused.
 *
 * Whoever may write into a folder may put a link there, and what is written to
 * the link would change a file elsewhere.
 *
 * @module
 */

/** What stands where a plain file should. */
export class PlainFileError extends Error {
  /** As the system's own errors have it. */
  readonly code = "ELOOP";

  /** Says what stands at `path`. */
  constructor(
    /** Where it stands. */
    readonly path: string,
    /** What it is, with its article. */
    readonly kind: string,
  ) {
    super(`"${path}" is ${kind}, remove it`);
    this.name = "PlainFileError";
  }
}

/**
 * Opens the file at `path` for reading and writing, and makes it if there is
 * none. Nothing is truncated, so what turns out to be another file is unchanged.
 *
 * @throws {PlainFileError} When something else than a plain file is there.
 */
export async function openPlainFile(
  path: string,
  options: Pick<Deno.OpenOptions, "append" | "mode"> = {},
): Promise<Deno.FsFile> {
  const how = { read: true, write: true, ...options };
  try {
    // Exclusive creation follows no link.
    return await Deno.open(path, { ...how, createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  // Before it is opened: opening a pipe waits for its other end.
  const seen = await Deno.lstat(path);
  // A device, such as /dev/full, is made by the administrator alone.
  if (!seen.isFile && !seen.isCharDevice) {
    throw new PlainFileError(path, kindOf(seen));
  }
  const file = await Deno.open(path, how);
  try {
    const { dev, ino } = await file.stat();
    if (dev === seen.dev && ino === seen.ino) return file;
    throw new PlainFileError(path, "another file than a moment ago");
  } catch (error) {
    file.close();
    throw error;
  }
}

function kindOf({ isSymlink, isDirectory }: Deno.FileInfo): string {
  if (isSymlink) return "a symbolic link";
  return isDirectory ? "a folder" : "a pipe, a socket or a device";
}
