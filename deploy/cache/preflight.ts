/**
 * The check that a download is usable, made on its smallest file.
 *
 * A language model of the original layout needs a vision tokenizer beside it.
 * Without the check, a missing one would show only after 16 GB.
 *
 * @module
 */

import { join } from "node:path";
import { CheckpointError } from "../../lib/errors.ts";
import { neighbors } from "../../lib/loading/hub_cache.ts";
import { holdsBoth } from "../../lib/loading/layout.ts";
import { repositoryName } from "./snapshots/hub_layout.ts";
import { locate, SourceError, sourcesOf } from "./locate.ts";
import type { ObtainOptions } from "./obtain.ts";
import { type Remote, RemoteError } from "./net/remote.ts";
import { remoteFor } from "./net/remote_for.ts";
import type { RemoteSource } from "./source.ts";

/** Options of the check. */
export type PreflightOptions = Pick<
  ObtainOptions,
  "places" | "signal" | "openRemote"
>;

/** Bytes of a configuration; larger files are rejected. */
const MAX_CONFIG_BYTES = 2 ** 20;

/**
 * Rejects a language model that will have no vision tokenizer: none of its own,
 * and none beside its future location. Passes where that is unknown: then the
 * download reports it.
 *
 * @throws {CheckpointError} With advice.
 */
export async function preflightVision(
  source: string,
  options: PreflightOptions,
): Promise<void> {
  const { downloads } = options.places;
  if (downloads === undefined || await isHere(source, options)) return;
  const [first] = sourcesOf(source).filter((one) => one.type !== "folder");
  if (first === undefined) return;
  const config = await remoteConfig(first, downloads.variables, options);
  if (config === undefined || holdsBoth(config)) return;
  const cache = downloads.cache;
  if (await isVisionBeside(join(cache, repositoryName(first)))) return;
  throw new CheckpointError(
    first.text,
    `it contains no vision tokenizer, and ${cache} has none; set VISION_MODEL, for example to BAAI/Emu3-VisionTokenizer`,
  );
}

async function isHere(
  source: string,
  { places }: PreflightOptions,
): Promise<boolean> {
  try {
    await locate(source, places);
    return true;
  } catch (error) {
    if (error instanceof SourceError) return false;
    throw error;
  }
}

/** Returns the model's configuration; undefined if it is unreadable. */
async function remoteConfig(
  source: RemoteSource,
  variables: Parameters<typeof remoteFor>[1],
  { signal, openRemote = remoteFor }: PreflightOptions,
): Promise<unknown> {
  try {
    using opened = await openRemote(source, variables, undefined);
    return await readConfig(opened.remote, signal);
  } catch (error) {
    // The download retries, and reports the error.
    if (error instanceof RemoteError || error instanceof SyntaxError) return;
    throw error;
  }
}

async function readConfig(
  remote: Remote,
  signal: AbortSignal,
): Promise<unknown> {
  const { files } = await remote.list(signal);
  const file = files.find(({ path }) => path === "config.json");
  if (file === undefined || file.size > MAX_CONFIG_BYTES) return undefined;
  const range = { start: 0, end: file.size };
  const stream = await remote.read(file, range, signal);
  return await new Response(stream).json();
}

/**
 * Returns true if the folder of a repository has a vision tokenizer beside it.
 */
async function isVisionBeside(repository: string): Promise<boolean> {
  try {
    const beside = await neighbors(join(repository, "snapshots", "main"));
    return beside.some(({ name }) => /visiontokenizer$/i.test(name));
  } catch (error) {
    // The cache does not exist yet.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
