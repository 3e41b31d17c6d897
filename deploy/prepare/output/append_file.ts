/**
 * The file that grows by whole lines, such as `errors.jsonl`.
 *
 * @module
 */

import { openPlainFile } from "../../../lib/loading/plain_file.ts";
import { onDisk } from "../../cache/base/disk.ts";
import { appendLines, OUTPUT_REMEDY } from "./journal.ts";

/** A file that is written anew, then appended to. */
export class AppendFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;

  private constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Opens the file at `path`; `lines` replace what it holds. */
  static async open(
    path: string,
    lines: readonly string[],
  ): Promise<AppendFile> {
    const file = await onDisk(path, () => openPlainFile(path), OUTPUT_REMEDY);
    const opened = new AppendFile(file, path);
    await opened.empty();
    await opened.append(...lines);
    return opened;
  }

  /** Opens the file at `path`, to append to what it holds. */
  static async continue(path: string): Promise<AppendFile> {
    const file = await onDisk(path, () => openPlainFile(path), OUTPUT_REMEDY);
    await file.seek(0, Deno.SeekMode.End);
    return new AppendFile(file, path);
  }

  /** Appends lines; each line feed is added. */
  async append(...lines: readonly string[]): Promise<void> {
    await appendLines(this.#file, this.#path, lines);
  }

  /** Makes the file safe from a power loss. */
  async sync(): Promise<void> {
    await onDisk(this.#path, () => this.#file.syncData(), OUTPUT_REMEDY);
  }

  /** Removes all content. */
  async empty(): Promise<void> {
    await this.#file.truncate(0);
    await this.#file.seek(0, Deno.SeekMode.Start);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
