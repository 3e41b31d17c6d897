/**
 * The publication of a checkpoint into an object store.
 *
 * ```text
 * mark ─▶ concurrent files ─▶ manifest ─▶ mark removed
 * ```
 *
 * Readers accept a prefix as a checkpoint once its manifest is there, and not
 * while only the mark is. The mark holds the text of the future manifest: a
 * later attempt with an equal mark resumes the earlier one.
 *
 * @module
 */

import pLimit from "p-limit";
import {
  type Manifest,
  MANIFEST_FILE,
  type ManifestFile,
  manifestText,
} from "../cache/manifest/manifest.ts";
import {
  type RetryPolicy,
  UPLOAD_RETRIES,
  withRetries,
} from "../cache/retry_policy.ts";
import { runConcurrently } from "../cache/base/concurrent_tasks.ts";
import type { ObjectStore } from "../cache/stores/object_store.ts";
import { readManifest, UNFINISHED_FILE } from "../cache/stores/store_remote.ts";
import { readPart } from "./part_reader.ts";
import { PublishError } from "./published_files.ts";
import type {
  Publication,
  Published,
  PublishOptions,
} from "./publish_options.ts";

/** Files that are sent concurrently. */
const SIDE_BY_SIDE = 4;

/**
 * Publishes to `store`.
 *
 * @throws {PublishError} When other content is there, or a file changes.
 * @throws {RemoteError} When the store does not accept it.
 */
export async function publishToStore(
  publication: Publication,
  store: ObjectStore,
  options: PublishOptions,
  retryPolicy: RetryPolicy = UPLOAD_RETRIES,
): Promise<Published> {
  const { manifest } = publication;
  const { signal, replace } = options;
  const attempt = <T>(work: (signal: AbortSignal) => Promise<T>) =>
    withRetries(store.place, work, retryPolicy, signal);
  const before = await attempt((signal) => readManifest(store, signal));
  if (before?.revision === manifest.revision) {
    await attempt((signal) => store.remove(UNFINISHED_FILE, signal));
    options.onBytes(bytesOf(manifest));
    return { sent: 0, kept: manifest.files.length };
  }
  const text = manifestText(manifest);
  const mark = await attempt((signal) => store.text(UNFINISHED_FILE, signal));
  const resume = mark === text;
  if (!resume && !replace) {
    const objects = await attempt((signal) => store.list(signal));
    refuseOthers(store.place, before, mark, objects.length);
  }
  if (!resume) {
    await attempt((signal) => store.put(UNFINISHED_FILE, text, signal));
  }
  if (before !== undefined) {
    await attempt((signal) => store.remove(MANIFEST_FILE, signal));
  }
  const sender = new Sender(publication, store, options, retryPolicy, resume);
  const sent = await runConcurrently(
    manifest.files.map((file) => (either) => sender.send(file, either)),
    pLimit(SIDE_BY_SIDE),
    signal,
  );
  if (
    await attempt((signal) => store.text(UNFINISHED_FILE, signal)) !== text
  ) {
    throw new PublishError(
      store.place,
      "another process is publishing there; choose another prefix",
    );
  }
  await attempt((signal) => store.put(MANIFEST_FILE, text, signal));
  await attempt((signal) => store.remove(UNFINISHED_FILE, signal));
  const paths = new Set(manifest.files.map(({ path }) => path));
  for (const { path } of before?.files ?? []) {
    if (!paths.has(path)) {
      await attempt((signal) => store.remove(path, signal));
    }
  }
  const count = sent.filter(Boolean).length;
  return { sent: count, kept: sent.length - count };
}

/** A sender of one checkpoint's files. */
class Sender {
  readonly #paths: ReadonlyMap<string, string>;
  readonly #store: ObjectStore;
  readonly #options: PublishOptions;
  readonly #retryPolicy: RetryPolicy;
  readonly #resume: boolean;

  constructor(
    { files }: Publication,
    store: ObjectStore,
    options: PublishOptions,
    retryPolicy: RetryPolicy,
    resume: boolean,
  ) {
    this.#paths = new Map(files.map(({ path, from }) => [path, from]));
    this.#store = store;
    this.#options = options;
    this.#retryPolicy = retryPolicy;
    this.#resume = resume;
  }

  /** Sends a file, unless it is there; returns true if it was sent. */
  async send(file: ManifestFile, signal: AbortSignal): Promise<boolean> {
    const { onBytes } = this.#options;
    if (await this.#isThere(file, signal)) {
      onBytes(file.size);
      return false;
    }
    const from = this.#paths.get(file.path) ?? "";
    const source = {
      file,
      resume: this.#resume,
      read: (index: number) => readPart(from, file, index),
      onSent: onBytes,
    };
    try {
      await this.#store.send(source, signal);
    } catch (error) {
      // The response may have been lost after the file arrived.
      if (error instanceof PublishError || signal.aborted) throw error;
      if (!await this.#isThere(file, signal)) throw error;
    }
    return true;
  }

  async #isThere(file: ManifestFile, signal: AbortSignal): Promise<boolean> {
    const known = await withRetries(
      this.#store.place,
      (signal) => this.#store.find(file.path, signal),
      this.#retryPolicy,
      signal,
    );
    return known?.sha256 === file.sha256 && known.size === file.size;
  }
}

function refuseOthers(
  place: string,
  before: Manifest | undefined,
  mark: string | undefined,
  objects: number,
): void {
  const remedy = "choose another prefix or add --replace";
  if (before !== undefined) {
    throw new PublishError(
      place,
      `revision ${before.revision} of ${before.model} is there, ${remedy}`,
    );
  }
  if (mark !== undefined) {
    throw new PublishError(
      place,
      `it has an unfinished publication of other content, ${remedy}`,
    );
  }
  if (objects > 0) {
    throw new PublishError(
      place,
      `it has ${objects} objects without a manifest, ${remedy}`,
    );
  }
}

function bytesOf({ files }: Manifest): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
