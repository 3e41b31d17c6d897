/**
 * A part of the chain `prepare`: one run of the preparation, with the pictures
 * encoded by the server of the chains.
 *
 * @module
 */

import { join, relative } from "node:path";
import { openRemoteEncoder } from "../../prepare/encoding/remote_encoder.ts";
import { SERVER_OPTIONS } from "../../prepare/encoding/server.ts";
import { PreparationError } from "../../prepare/preparation_error.ts";
import {
  type PreparedFolder,
  prepareSet,
  type SetArguments,
} from "../../prepare/prepare_set.ts";
import { MANIFEST_FILE } from "../../prepare/sets/set_manifest.ts";
import type { Emu3Server } from "../emu3/emu3_client.ts";
import { RefusedError } from "../emu3/emu3_errors.ts";
import type { PreparedPart, PrepareInput } from "../schema/prepare.ts";
import { pathWithin } from "./path_within.ts";

/** The places that a preparation reads, writes and calls. */
export interface PreparationPlace {
  /** Folder of all data; undefined if there is none. */
  readonly dataFolder: string | undefined;
  /** Server that encodes. */
  readonly server: Emu3Server;
}

/** Threads that decode the pictures of a part. */
const THREADS = 1;

/**
 * Prepares part `index`, from where an earlier attempt ended.
 *
 * @throws {RefusedError} If the same input would be refused again.
 */
export async function preparePart(
  { dataFolder, server }: PreparationPlace,
  input: PrepareInput,
  index: number,
  signal: AbortSignal,
): Promise<PreparedPart> {
  if (dataFolder === undefined) {
    throw new RefusedError(501, {
      status: 501,
      title: "Not configured",
      detail:
        "WORKFLOWS_DATA is not set: set it to the folder of data, and restart the service of the chains",
    });
  }
  const root = await Deno.realPath(dataFolder);
  const data = await pathWithin(root, input.data, "data");
  const out = await pathWithin(root, input.out, "out");
  const words = setArguments(input, { data, out, index, url: server.url });
  const options = { ...SERVER_OPTIONS, apiKey: server.apiKey, now: Date.now };
  const area = input.image_area;
  try {
    const prepared = await prepareSet(words, {
      openEncoder: () =>
        openRemoteEncoder({
          ...{ endpoints: [server.url], server: options, threads: THREADS },
          ...{ resize: words.resize, imageArea: area },
        }, signal),
      server: options,
      onProgress: () => {},
    }, signal);
    return preparedPart(root, prepared, input);
  } catch (error) {
    if (!(error instanceof PreparationError) || error.transient) throw error;
    throw new RefusedError(422, {
      status: 422,
      title: "Data cannot be prepared",
      detail: error.message.replaceAll(`${root}/`, ""),
    });
  }
}

/** Returns the arguments of a part. */
function setArguments(
  input: PrepareInput,
  { data, out, index, url }: {
    readonly data: string;
    readonly out: string;
    readonly index: number;
    readonly url: string;
  },
): SetArguments {
  const { shards } = input;
  return {
    ...{ input: data, out, format: input.format, form: input.to },
    columns: {
      image: input.image_column,
      text: input.text_column,
      name: input.name_column,
      question: input.question_column,
      answer: input.answer_column,
    },
    resize: input.resize ?? "released",
    captionWith: input.captions ? [url] : [],
    captionQuestion: input.caption_question,
    part: shards === 1 ? undefined : { index, count: shards },
    shardSize: input.shard_size,
    maxErrors: input.max_errors ?? Infinity,
    retryErrors: false,
    skipDuplicates: false,
  };
}

function preparedPart(
  root: string,
  { folder, counts, firstError }: PreparedFolder,
  { to }: PrepareInput,
): PreparedPart {
  const list = to === "emu3" ? "list/train.json" : MANIFEST_FILE;
  return {
    folder: relative(root, folder),
    manifest: relative(root, join(folder, list)),
    records: counts.stored,
    errors: counts.failed,
    ...firstError !== undefined && { first_error: firstError },
  };
}
