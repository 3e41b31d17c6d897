/**
 * What publishing to any place is told, and tells.
 *
 * @module
 */

import type { Manifest } from "../cache/manifest/manifest.ts";
import type { PublishedFile } from "./published_files.ts";

/** A checkpoint that is to be published. */
export interface Publication {
  /** What it is. */
  readonly manifest: Manifest;
  /** Where its files are. */
  readonly files: readonly PublishedFile[];
}

/** How to publish. */
export interface PublishOptions {
  /** Whether another checkpoint that is there may go. */
  readonly replace: boolean;
  /** Hears of bytes that are there. */
  readonly onBytes: (bytes: number) => void;
  /** Gives it up; what was sent is kept for the next attempt. */
  readonly signal: AbortSignal;
}

/** What was done. */
export interface Published {
  /** Files that were sent. */
  readonly sent: number;
  /** Files that were there. */
  readonly kept: number;
}
