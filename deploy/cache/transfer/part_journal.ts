/**
 * The journal of a download: which parts of a file have come, and how much of
 * those that are still coming, so that the next process goes on from there.
 *
 * ```text
 * {"file": "<etag>", "size": …, "partBytes": …}
 * {"part": 3, "crc32": "…"}               is on the disk, as it came
 * {"part": 4, "sha256": "…"}              the same, and is what its place promised
 * {"part": 5, "bytes": 70, "crc32": "…"}  the first 70 bytes of it are
 * {"part": 6, "bytes": 70}                the same; its hash is another
 * ```
 *
 * A line is written once its bytes are safe on the disk. It counts once it is
 * whole: the last one may be torn. Of two about one part the later counts.
 *
 * @module
 */

import { openPlainFile } from "../../../lib/loading/plain_file.ts";
import type { ExpectedHash } from "../hashing/content_hash.ts";
import type { PartStart } from "./fetch_part.ts";

/** What a journal is about: another text, another job. */
export interface PartJob {
  /** Names the content. */
  readonly file: string;
  /** In bytes. */
  readonly size: number;
  /** Of each part but the last. */
  readonly partBytes: number;
}

/** The parts of a file that have come, by index. */
export interface PartsHere {
  /** Hashes of the parts that are here. */
  readonly parts: Map<number, ExpectedHash>;
  /** The beginnings of others. */
  readonly starts: Map<number, PartStart>;
}

/** A longer one is none of ours. */
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
   * Opens the journal at `path`, empty unless it is about this very job.
   *
   * @param forget Whether to begin anew in any case.
   * @throws {PlainFileError} When something else than a file is there.
   */
  static async open(
    path: string,
    job: PartJob,
    forget: boolean,
  ): Promise<PartJournal> {
    const header = `${JSON.stringify(job)}\n`;
    // Appending, so that whoever else writes, despite locks, spoils no line.
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

  /** Notes parts, and starts of parts, that are safe on the disk. */
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

  /** Forgets parts: what is on the disk is not what had come. */
  async forget(parts: Iterable<number>): Promise<void> {
    for (const part of parts) this.parts.delete(part);
    const kept = { parts: new Map(this.parts), starts: new Map() };
    this.starts.clear();
    await this.#file.truncate(0);
    await this.#write(this.#header);
    await this.add(kept);
  }

  /** Lets go of it. */
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

/** What the whole lines say, and their length; nothing if of another job. */
function parse(
  text: string,
  header: string,
  job: PartJob,
): { here: PartsHere; length: number } {
  const here: PartsHere = { parts: new Map(), starts: new Map() };
  if (!text.startsWith(header)) return { here, length: 0 };
  let length = header.length;
  for (const line of text.slice(length).split("\n").slice(0, -1)) {
    // Torn by a crash: what follows counts as not here.
    if (!take(line, job, here)) break;
    length += line.length + 1;
  }
  return { here, length };
}

/** Takes what a line says; false when it is none of this job. */
function take(line: string, job: PartJob, { parts, starts }: PartsHere) {
  const known = LINE.exec(line);
  if (known === null) return false;
  const [, index, said, crc32, sha256] = known;
  const part = Number(index);
  const length = Math.min(job.partBytes, job.size - part * job.partBytes);
  const bytes = Number(said);
  if (length <= 0) return false;
  if (said !== undefined) {
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

/** The text of a journal; empty when it is too long to be one. */
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
