/**
 * A checkpoint folder whose shared files are read once: `config.json`, and the
 * headers of its weights. In the transformers layout both models have them in
 * common.
 *
 * @module
 */

import { join } from "node:path";
import { parseInFile, parseJsonFile } from "./json_file.ts";
import { WeightFiles } from "./weight_files.ts";

/** A folder of a checkpoint. */
export class CheckpointFolder {
  /** Path of the folder. */
  readonly path: string;
  #config: Promise<unknown> | undefined;
  #weights: Promise<WeightFiles> | undefined;

  /** Creates a folder of which nothing is read yet. */
  constructor(path: string) {
    this.path = path;
  }

  /** Path of its configuration. */
  get configFile(): string {
    return join(this.path, "config.json");
  }

  /**
   * Returns its configuration, parsed by `parse`.
   *
   * @throws {CheckpointError} If there is none, or `parse` throws a
   * `SyntaxError`.
   */
  async config<T>(parse: (json: unknown) => T): Promise<T> {
    this.#config ??= parseJsonFile(this.configFile, (json) => json);
    return parseInFile(this.configFile, await this.#config, parse);
  }

  /**
   * Returns the tensors of its weights.
   *
   * @throws {CheckpointError} If a file is missing or unsafe.
   */
  weights(): Promise<WeightFiles> {
    this.#weights ??= WeightFiles.open(this.path);
    return this.#weights;
  }
}

/** Returns the folder of a path; a folder is returned as it is. */
export function checkpointFolder(
  folder: string | CheckpointFolder,
): CheckpointFolder {
  return typeof folder === "string" ? new CheckpointFolder(folder) : folder;
}
