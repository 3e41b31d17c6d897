/**
 * The encoder on servers: `/v1/tokenize` of any number of them, each within its
 * own window.
 *
 * Pictures are decoded and resized here unless the server does the same, so
 * that codes equal those of the encoder on this machine.
 *
 * @module
 */

import { readHeader } from "../../../lib/image/header.ts";
import { openPicturePool } from "../../../lib/image/threads/picture_pool.ts";
import { readNpy } from "../../../lib/npy.ts";
import type { Resize } from "../../../lib/tuning/training_sizes.ts";
import { PreparationError } from "../preparation_error.ts";
import { asFields } from "../readers/as_text.ts";
import {
  decodeForTraining,
  type PictureEncoder,
  RELEASED_AREA,
  type TokenizerFacts,
} from "./picture_encoder.ts";
import type { EncodingServer } from "./server.ts";
import { ServerPool } from "./server_pool.ts";
import type { ServerOptions } from "./server.ts";

/** Options of an encoder on servers. */
export interface RemoteEncoderOptions {
  /** Addresses of the servers. */
  readonly endpoints: readonly string[];
  /** Options of requests. */
  readonly server: ServerOptions;
  /** Number of threads that decode pictures. */
  readonly threads: number;
  /** Kind of resizing. */
  readonly resize: Resize;
  /** Area of the first released resize; undefined for the server's model's. */
  readonly imageArea: number | undefined;
}

/** Bytes of a picture's file that every server takes. */
const MAX_SENT_BYTES = 2 ** 24;

/** Maximum of a server's window of concurrent requests. */
const AHEAD = 8;

/**
 * Opens an encoder.
 *
 * @throws {PreparationError} If no server answers, or their vision tokenizers
 * differ.
 */
export async function openRemoteEncoder(
  { endpoints, server, threads, resize, imageArea: area }: RemoteEncoderOptions,
  signal: AbortSignal,
): Promise<PictureEncoder> {
  const pool = new ServerPool(endpoints, server);
  const { tokenizer, ...model } = await commonTokenizer(pool.servers, signal);
  const imageArea = area ?? model.imageArea;
  const sizes = { ...tokenizer, resize, imageArea };
  const codec = openPicturePool({ now: () => performance.now(), threads });
  return {
    tokenizer,
    imageArea,
    capacity: AHEAD * endpoints.length,
    encode: async (bytes, signal) => {
      const { frames } = readHeader(bytes);
      const asIs = resize !== "released" && frames === 1 &&
        bytes.length <= MAX_SENT_BYTES;
      const body = new Uint8Array(
        asIs ? bytes : await codec.encodePng(
          await decodeForTraining(codec, bytes, sizes, signal),
          {},
          { signal },
        ),
      );
      const query = new URLSearchParams({
        decode: "reference",
        resize: asIs ? resize : "none",
      });
      const answer = await pool.request(`/v1/tokenize?${query}`, {
        method: "POST",
        headers: {
          "content-type": `image/${readHeader(body).type}`,
          accept: "application/x-npy",
        },
        body,
      }, signal);
      const { shape, values } = readNpy(await answer.bytes());
      const [height = 0, width = 0] = shape;
      return { height, width, codes: Uint16Array.from(values) };
    },
    [Symbol.asyncDispose]: () => codec[Symbol.asyncDispose](),
  };
}

/** The facts of a server's models that determine codes. */
interface ServedFacts {
  readonly tokenizer: TokenizerFacts;
  readonly imageArea: number;
}

/** Returns the vision tokenizer that all servers which answer have. */
async function commonTokenizer(
  servers: readonly EncodingServer[],
  signal: AbortSignal,
): Promise<ServedFacts> {
  const found = await Promise.all(servers.map(async (server) => {
    const answer = await server.request("/v1/models", {}, signal);
    return answer instanceof Response
      ? { url: server.url, facts: await factsOf(server.url, answer) }
      : undefined;
  }));
  const answered = found.filter((one) => one !== undefined);
  const [first] = answered;
  if (first === undefined) {
    throw new PreparationError(
      `no server answers: ${servers.map(({ url }) => url).join(", ")}`,
      { transient: true },
    );
  }
  const same = JSON.stringify(first.facts);
  const other = answered.find(({ facts }) => JSON.stringify(facts) !== same);
  if (other !== undefined) {
    throw new PreparationError(
      `${first.url} and ${other.url} have different vision tokenizers: ${same} and ${
        JSON.stringify(other.facts)
      }`,
    );
  }
  return first.facts;
}

async function factsOf(url: string, answer: Response): Promise<ServedFacts> {
  const { data } = await answer.json();
  const models: Record<string, unknown>[] = Array.isArray(data) ? data : [];
  const areas = models.map((model) => Number(model["image_area"] ?? 0));
  for (const model of models) {
    const preprocessing = asFields(model?.preprocessing);
    if (preprocessing === undefined) continue;
    const { min_pixels: minPixels, max_pixels: maxPixels } = preprocessing;
    return {
      tokenizer: {
        name: String(model.id),
        factor: Number(preprocessing.spatial_factor),
        minPixels: Number(minPixels),
        maxPixels: Number(maxPixels),
      },
      imageArea: areas.find((area) => area > 0) ?? RELEASED_AREA,
    };
  }
  throw new PreparationError(
    `${url} has no vision tokenizer; add tokenize to its FUNCTIONS`,
  );
}
