/**
 * The options of bringing one file.
 *
 * @module
 */

import type { PartOptions } from "../transfer/fetch_part.ts";
import type { Fetcher } from "../transfer/part_workers.ts";
import type { Limit } from "./side_by_side.ts";

/** Options of bringing a file. */
export interface FileOptions extends Omit<PartOptions, "onStart"> {
  /** Folder that it goes to. */
  readonly blobs: string;
  /** The workers that fetch. */
  readonly fetcher: Fetcher;
  /** Parts at once, of all files together. */
  readonly limit: Limit;
  /** Bytes of a part of a file of so many; for tests to have small ones. */
  readonly partBytes: (size: number) => number;
}

/** Paths of an unfinished file. */
export interface FilePlaces {
  /** Its bytes. */
  readonly incomplete: string;
  /** The journal of what has come. */
  readonly journal: string;
}

/** Times that a file is brought again when it is not what was promised. */
export const ROUNDS = 3;
