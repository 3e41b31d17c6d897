/**
 * Which parts of a file have come, so that the next process goes on from there.
 *
 * ```text
 * {"file": "<etag>", "size": …, "partBytes": …}
 * {"part": 3, "crc32": "…"}     is on the disk, as it came
 * {"part": 4, "sha256": "…"}    the same, and is what its place promised
 * ```
 *
 * A part is noted once its bytes are safe on the disk. A line counts once it is
 * whole: the last one may be torn.
 *
 * @module
 */

import type { ExpectedHash } from "./content_hash.ts";

/** What a journal is about: another text, another job. */
export interface PartJob {
  /** Names the content. */
  readonly file: string;
  /** In bytes. */
  readonly size: number;
  /** Of each part but the last. */
  readonly partBytes: number;
}

/** An open journal. */
export class PartJournal implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #header: string;
  /** Hashes of the parts that are here, by index. */
  readonly parts: Map<number, ExpectedHash>;

  private constructor(
    file: Deno.FsFile,
    header: string,
    parts: Map<number, ExpectedHash>,
  ) {
    this.#file = file;
    this.#header = header;
    this.parts = parts;
  }

  /**
   * Opens the journal at `path`, empty unless it is about this very job.
   *
   * @param forget Whether to begin anew in any case.
   */
  static async open(
    path: string,
    job: PartJob,
    forget: boolean,
  ): Promise<PartJournal> {
    const header = `${JSON.stringify(job)}\n`;
    const { parts, length } = forget
      ? { parts: new Map<number, ExpectedHash>(), length: 0 }
      : parse(await readText(path), header);
    // Appending, so that whoever else writes, despite locks, spoils no line.
    const file = await Deno.open(path, { append: true, create: true });
    const journal = new PartJournal(file, header, parts);
    try {
      await file.truncate(length);
      if (length === 0) await journal.#write(header);
      return journal;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Notes parts that are safe on the disk. */
  async add(parts: ReadonlyMap<number, ExpectedHash>): Promise<void> {
    const lines = [...parts].map(([part, { kind, hex }]) =>
      `${JSON.stringify({ part, [kind]: hex })}\n`
    );
    await this.#write(lines.join(""));
    for (const [part, hash] of parts) this.parts.set(part, hash);
  }

  /** Forgets parts: what is on the disk is not what had come. */
  async forget(parts: Iterable<number>): Promise<void> {
    for (const part of parts) this.parts.delete(part);
    const kept = new Map(this.parts);
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
  /^\{"part":(\d+),(?:"crc32":"([0-9a-f]{8})"|"sha256":"([0-9a-f]{64})")\}$/;

/** What the whole lines say, and their length; nothing if of another job. */
function parse(
  text: string,
  header: string,
): { parts: Map<number, ExpectedHash>; length: number } {
  const parts = new Map<number, ExpectedHash>();
  if (!text.startsWith(header)) return { parts, length: 0 };
  let length = header.length;
  for (const line of text.slice(length).split("\n").slice(0, -1)) {
    const known = LINE.exec(line);
    // Torn by a crash: what follows counts as not here.
    if (known === null) break;
    const [, part, crc32, sha256] = known;
    parts.set(
      Number(part),
      crc32 === undefined
        ? { kind: "sha256", hex: sha256! }
        : { kind: "crc32", hex: crc32 },
    );
    length += line.length + 1;
  }
  return { parts, length };
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    // None yet, or none that can be read: the file is begun anew.
    return "";
  }
}
