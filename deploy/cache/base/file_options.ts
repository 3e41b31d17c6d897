/**
 * The options for downloading one file.
 *
 * @module
 */

import type { PartOptions } from "../transfer/fetch_part.ts";
import type { Fetcher } from "../transfer/part_workers.ts";
import type { Limit } from "./concurrent_tasks.ts";

/** Options for downloading a file. */
export interface FileOptions extends Omit<PartOptions, "onStart"> {
  /** Folder that receives the file. */
  readonly blobs: string;
  /** Fetcher of its parts. */
  readonly fetcher: Fetcher;
  /** Limit on concurrent parts, over all files. */
  readonly limit: Limit;
  /**
   * Returns the bytes of a part for a file of the given size; small in tests.
   */
  readonly partBytes: (size: number) => number;
}

/** Paths of an unfinished file. */
export interface FilePlaces {
  /** Path of its bytes. */
  readonly incomplete: string;
  /** Path of the journal of its parts. */
  readonly journal: string;
}

/** Attempts at a file whose content does not match its hash. */
export const ROUNDS = 3;
