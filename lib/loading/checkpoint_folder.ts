/**
 * The checkpoint folder, whose `config.json` and weight headers are read once.
 * In the transformers layout, both models share them.
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

  /** Creates a folder; no file is read yet. */
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

/** Returns the folder at a path; a folder is returned unchanged. */
export function checkpointFolder(
  folder: string | CheckpointFolder,
): CheckpointFolder {
  return typeof folder === "string" ? new CheckpointFolder(folder) : folder;
}
