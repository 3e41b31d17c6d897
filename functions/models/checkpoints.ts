/**
 * The opened checkpoints of a server: each file of metadata is read once, by
 * whichever of plan, memory check and loading comes first.
 *
 * @module
 */

import {
  findVisionFolder,
  type LanguageCheckpoint,
  openLanguageCheckpoint,
  openVisionCheckpoint,
  type VisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { CheckpointFolder } from "../../lib/loading/checkpoint_folder.ts";

/** The checkpoints of folders; results are shared until {@linkcode clear}. */
export class Checkpoints {
  readonly #folders = new Map<string, CheckpointFolder>();
  readonly #languages = new Map<string, Promise<LanguageCheckpoint>>();
  readonly #visions = new Map<string, Promise<VisionCheckpoint>>();

  /**
   * Opens the language model in `folder`.
   *
   * @throws {CheckpointError} If something is missing, wrong or unsafe.
   */
  language(folder: string): Promise<LanguageCheckpoint> {
    return once(
      this.#languages,
      folder,
      () => openLanguageCheckpoint(this.#folder(folder)),
    );
  }

  /**
   * Opens the vision tokenizer in `folder`.
   *
   * @throws {CheckpointError} If something is missing, wrong or unsafe.
   */
  vision(folder: string): Promise<VisionCheckpoint> {
    return once(
      this.#visions,
      folder,
      () => openVisionCheckpoint(this.#folder(folder)),
    );
  }

  /**
   * Returns the folder of the vision tokenizer of a language model.
   *
   * @throws {CheckpointError} If there is none, or more than one.
   */
  async visionFolderOf(folder: string): Promise<string> {
    return await findVisionFolder(this.#folder(folder));
  }

  /** Releases all results: files that are needed again are read again. */
  clear(): void {
    this.#folders.clear();
    this.#languages.clear();
    this.#visions.clear();
  }

  #folder(path: string): CheckpointFolder {
    return once(this.#folders, path, () => new CheckpointFolder(path));
  }
}

/** Returns the value of `key`, made by `make` the first time. */
function once<T>(values: Map<string, T>, key: string, make: () => T): T {
  const known = values.get(key);
  if (known !== undefined) return known;
  const made = make();
  values.set(key, made);
  return made;
}
