/**
 * The options and results of a publication to any place.
 *
 * @module
 */

import type { Manifest } from "../cache/manifest/manifest.ts";
import type { PublishedFile } from "./published_files.ts";

/** A checkpoint to publish. */
export interface Publication {
  /** Manifest of the checkpoint. */
  readonly manifest: Manifest;
  /** Files of the checkpoint. */
  readonly files: readonly PublishedFile[];
}

/** Options of a publication. */
export interface PublishOptions {
  /** True if another checkpoint at the target may be replaced. */
  readonly replace: boolean;
  /** Called with the number of bytes that are there. */
  readonly onBytes: (bytes: number) => void;
  /** Cancels; files that were sent are kept for the next attempt. */
  readonly signal: AbortSignal;
}

/** The result of a publication. */
export interface Published {
  /** Number of files that were sent. */
  readonly sent: number;
  /** Number of files that were there. */
  readonly kept: number;
}
