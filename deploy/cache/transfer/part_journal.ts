/**
 * The journal of a download: records the parts of a file that have arrived,
 * complete or not, so that the next process resumes from there.
 *
 * ```text
 * {"file": "<etag>", "size": …, "partBytes": …}
 * {"part": 3, "crc32": "…"}               is on the disk, as received
 * {"part": 4, "sha256": "…"}              the same, and matches its place's hash
 * {"part": 5, "bytes": 70, "crc32": "…"}  the first 70 bytes of it are
 * {"part": 6, "bytes": 70}                the same; with another kind of hash
 * ```
 *
 * A line is written once its bytes are synced to the disk. It is valid once it
 * is complete: the last one may be truncated. The later of two lines about one
 * part is used.
 *
 * @module
 */

import { openPlainFile } from "../../../lib/loading/plain_file.ts";
import type { ExpectedHash } from "../hashing/content_hash.ts";
import type { PartStart } from "./fetch_part.ts";

/** The subject of a journal; a journal of another job is discarded. */
export interface PartJob {
  /** Name of the content. */
  readonly file: string;
  /** Size in bytes. */
  readonly size: number;
  /** Bytes of each part but the last. */
  readonly partBytes: number;
}

/** The parts of a file that have arrived, by index. */
export interface PartsHere {
  /** Hashes of the complete parts. */
  readonly parts: Map<number, ExpectedHash>;
  /** Starts of the other parts. */
  readonly starts: Map<number, PartStart>;
}

/** Bytes of a journal; longer files are ignored. */
const MAX_JOURNAL_BYTES = 2 ** 28;

/** An open journal. */
export class PartJournal implements Disposable, PartsHere {
  readonly #file: Deno.FsFile;
  readonly #header: string;
  readonly parts: Map<number, ExpectedHash>;
  readonly starts: Map<number, PartStart>;

  private constructor(file: Deno.FsFile, header: string, here: PartsHere) {
    this.#file = file;
    this.#header = header;
    this.parts = here.parts;
    this.starts = here.starts;
  }

  /**
   * Opens the journal at `path`, empty unless it is about this job.
   *
   * @param forget True to start a new journal in any case.
   * @throws {PlainFileError} When there is something other than a file.
   */
  static async open(
    path: string,
    job: PartJob,
    forget: boolean,
  ): Promise<PartJournal> {
    const header = `${JSON.stringify(job)}\n`;
    // Appending, so that a concurrent writer, despite locks, damages no line.
    const file = await openPlainFile(path, { append: true });
    try {
      const text = forget ? "" : await readText(file);
      const { here, length } = parse(text, header, job);
      const journal = new PartJournal(file, header, here);
      await file.truncate(length);
      if (length === 0) await journal.#write(header);
      return journal;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Records parts, and starts of parts, that are synced to the disk. */
  async add({ parts, starts }: PartsHere): Promise<void> {
    const lines = [
      ...[...starts].map(([part, start]) => ({ part, ...start })),
      ...[...parts].map(([part, { kind, hex }]) => ({ part, [kind]: hex })),
    ].map((line) => `${JSON.stringify(line)}\n`);
    if (lines.length > 0) await this.#write(lines.join(""));
    for (const [part, start] of starts) this.starts.set(part, start);
    for (const [part, hash] of parts) {
      this.parts.set(part, hash);
      this.starts.delete(part);
    }
  }

  /** Discards parts whose bytes on the disk differ from those received. */
  async forget(parts: Iterable<number>): Promise<void> {
    for (const part of parts) this.parts.delete(part);
    const kept = { parts: new Map(this.parts), starts: new Map() };
    this.starts.clear();
    await this.#file.truncate(0);
    await this.#write(this.#header);
    await this.add(kept);
  }

  /** Closes the journal. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) {
      at += await this.#file.write(bytes.subarray(at));
    }
    await this.#file.syncData();
  }
}

const LINE =
  /^\{"part":(\d{1,10})(?:,"bytes":(\d{1,15}))?(?:,"crc32":"([0-9a-f]{8})"|,"sha256":"([0-9a-f]{64})")?\}$/;

/**
 * Returns the records of all complete lines, and their length; nothing for
 * another job.
 */
function parse(
  text: string,
  header: string,
  job: PartJob,
): { here: PartsHere; length: number } {
  const here: PartsHere = { parts: new Map(), starts: new Map() };
  if (!text.startsWith(header)) return { here, length: 0 };
  let length = header.length;
  for (const line of text.slice(length).split("\n").slice(0, -1)) {
    // Truncated by a crash: the lines after it are ignored.
    if (!take(line, job, here)) break;
    length += line.length + 1;
  }
  return { here, length };
}

/**
 * Adds the record of a line; returns false if it does not belong to the job.
 */
function take(line: string, job: PartJob, { parts, starts }: PartsHere) {
  const known = LINE.exec(line);
  if (known === null) return false;
  const [, index, written, crc32, sha256] = known;
  const part = Number(index);
  const length = Math.min(job.partBytes, job.size - part * job.partBytes);
  const bytes = Number(written);
  if (length <= 0) return false;
  if (written !== undefined) {
    if (bytes > length) return false;
    if (parts.has(part)) return true;
    starts.set(part, crc32 === undefined ? { bytes } : { bytes, crc32 });
    return true;
  }
  if (crc32 !== undefined) parts.set(part, { kind: "crc32", hex: crc32 });
  else if (sha256 !== undefined) {
    parts.set(part, { kind: "sha256", hex: sha256 });
  } else return false;
  starts.delete(part);
  return true;
}

/** Returns the text of a journal; empty if it is too long. */
async function readText(file: Deno.FsFile): Promise<string> {
  const { size } = await file.stat();
  if (size > MAX_JOURNAL_BYTES) return "";
  const bytes = new Uint8Array(size);
  let at = 0;
  await file.seek(0, Deno.SeekMode.Start);
  while (at < size) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, at));
}
