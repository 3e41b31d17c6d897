/**
 * The list of the released form, `list/train.json`: valid JSON after every
 * picture.
 *
 * ```text
 * {"prefix": "/data/feature", "path_list": ["a.pth", "b.pth"]}
 *                                                  └─ , "c.pth"]} is written here
 * ```
 *
 * Only its end is written anew, so that a list of a million pictures costs no
 * more than one of ten.
 *
 * @module
 */

import { openPlainFile } from "../../../lib/loading/plain_file.ts";
import { onDisk, writeWhole } from "../../cache/base/disk.ts";
import { OUTPUT_REMEDY } from "./journal.ts";

/** End of the list. */
const END = "]}";

/** The open list. */
export class FeatureList implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #length: number;
  #empty: boolean;

  private constructor(
    file: Deno.FsFile,
    path: string,
    { length, empty }: { readonly length: number; readonly empty: boolean },
  ) {
    this.#file = file;
    this.#path = path;
    this.#length = length;
    this.#empty = empty;
  }

  /** Writes the list at `path` anew, with `names` under `prefix`. */
  static async open(
    path: string,
    prefix: string,
    names: readonly string[],
  ): Promise<FeatureList> {
    const listed = names.map((name) => JSON.stringify(name)).join(", ");
    const text = `{"prefix": ${
      JSON.stringify(prefix)
    }, "path_list": [${listed}${END}`;
    await writeWhole(path, text, OUTPUT_REMEDY);
    const file = await onDisk(path, () => openPlainFile(path), OUTPUT_REMEDY);
    const { length } = new TextEncoder().encode(text);
    return new FeatureList(file, path, { length, empty: names.length === 0 });
  }

  /** Adds a name. */
  async add(name: string): Promise<void> {
    const text = `${this.#empty ? "" : ", "}${JSON.stringify(name)}${END}`;
    const bytes = new TextEncoder().encode(text);
    const start = this.#length - END.length;
    await onDisk(this.#path, async () => {
      await this.#file.seek(start, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) {
        at += await this.#file.write(bytes.subarray(at));
      }
    }, OUTPUT_REMEDY);
    this.#length = start + bytes.length;
    this.#empty = false;
  }

  /** Closes the list. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
