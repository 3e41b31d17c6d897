/** The acceptance of jobs: requests are checked first, whatever the work takes. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  type AppServices,
  createApp,
  createJobApp,
} from "../../../functions/app.ts";
import { IN_MEMORY } from "../../../functions/jobs/store/database.ts";
import { Jobs } from "../../../functions/jobs/jobs.ts";
import { OverloadedError } from "../../../lib/errors.ts";
import { inPlaceCodec } from "../../../lib/image/picture_codec.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { JobClient } from "../../support/job_client.ts";
import { goldenBytes } from "../../support/pictures.ts";
import { appOptions, bytes, json } from "../../support/tiny_server.ts";

const ASYNC = { prefer: "respond-async" };
const png = new Uint8Array(goldenBytes("vq/im1_noise_48x32.png"));
const image = png.toBase64();
const pixels = [[0, 0], [0, 0]];

/** Opens a server of jobs around services that a test controls. */
function openServer(changes: Partial<AppServices>) {
  const services = fakeServices(runAtOnce, changes);
  const { options } = appOptions();
  const worker = createJobApp(services, options);
  const jobs = new Jobs({
    path: IN_MEMORY,
    ttlMs: 60_000,
    maxBytes: 2 ** 26,
    limit: 16,
    now: Date.now,
    execute: async (request, call) => await worker.fetch(request, { call }),
    onFailure: (error) => {
      throw error;
    },
    pageBase: "",
    webhooks: undefined,
  });
  const app = createApp(services, options, jobs);
  const client = new JobClient((path, init) => app.request(path, init));
  return {
    app,
    client,
    [Symbol.asyncDispose]: () => jobs[Symbol.asyncDispose](),
  };
}

/** A codec and models that work only once `open` is resolved. */
function slowServices(): {
  readonly open: () => void;
  readonly changes: Partial<AppServices>;
} {
  const gate = Promise.withResolvers<void>();
  const { vision, text, imageGenerator, captioner } = fakeServices(runAtOnce);
  const tokenizer = vision(undefined);
  const slowVision: typeof tokenizer = {
    ...tokenizer,
    encode: async (...args) => {
      await gate.promise;
      return await tokenizer.encode(...args);
    },
    decode: async (...args) => {
      await gate.promise;
      return await tokenizer.decode(...args);
    },
  };
  return {
    open: gate.resolve,
    changes: {
      codec: {
        ...inPlaceCodec,
        decodeImage: async (...args) => {
          await gate.promise;
          return await inPlaceCodec.decodeImage(...args);
        },
      },
      vision: () => slowVision,
      text: async (name) => {
        const model = await text(name);
        const encode: typeof model.text.encode = async (...args) => {
          await gate.promise;
          return await model.text.encode(...args);
        };
        return { ...model, text: { ...model.text, encode } };
      },
      imageGenerator: (name) => ({
        ...imageGenerator(name),
        vision: slowVision,
      }),
      captioner: (name) => ({ ...captioner(name), vision: slowVision }),
    },
  };
}

const WORK: readonly (readonly [string, string, () => RequestInit])[] = [
  ["a picture to encode", "/v1/tokenize", () => bytes(png, "image/png", ASYNC)],
  ["a text to encode", "/v1/tokenize", () => json({ text: "a fox" }, ASYNC)],
  [
    "a prompt to encode",
    "/v1/tokenize",
    () => json({ prompt: { prompt: "a fox" } }, ASYNC),
  ],
  [
    "codes to decode",
    "/v1/detokenize",
    () => json({ grid: { codes: pixels } }, ASYNC),
  ],
  [
    "a score of a picture",
    "/v1/score",
    () => json({ prompt: "a fox", image }, ASYNC),
  ],
];

for (const [name, path, init] of WORK) {
  Deno.test(`preference() accepts ${name} before the work is done`, async () => {
    const { open, changes } = slowServices();
    await using server = openServer(changes);
    const response = await server.app.request(path, init());
    strictEqual(response.status, 202);
    const { id, status } = await response.json();
    strictEqual(status, "queued");
    open();
    strictEqual((await server.client.ended(id)).status, "succeeded");
  });
}

const REFUSED: readonly (readonly [string, string, () => RequestInit])[] = [
  ["a wrong field", "/v1/tokenize", () => json({ text: 1 }, ASYNC)],
  [
    "a picture that is none",
    "/v1/tokenize",
    () => bytes(new Uint8Array(9), "image/png", ASYNC),
  ],
  [
    "a second picture that is none",
    "/v1/caption",
    () => json({ images: [image, btoa("none")], question: "?" }, ASYNC),
  ],
  [
    "codes out of range",
    "/v1/detokenize",
    () => json({ grid: { codes: [[99_999]] } }, ASYNC),
  ],
  [
    "a picture too large",
    "/v1/generate",
    () => json({ prompt: "a", height: 4096, width: 4096 }, ASYNC),
  ],
];

for (const [name, path, init] of REFUSED) {
  Deno.test(`preference() refuses ${name} without the work`, async () => {
    const { open, changes } = slowServices();
    await using server = openServer(changes);
    const response = await server.app.request(path, init());
    const { status, error } = await response.json();
    deepStrictEqual([response.status >= 400, typeof error], [true, "object"]);
    strictEqual(status, response.status);
    deepStrictEqual(await server.client.list(), []);
    open();
  });
}

Deno.test("preference() refuses a picture while the queue for pixels is full", async () => {
  const { pixels } = fakeServices(runAtOnce);
  pixels.acquire = () => Promise.reject(new OverloadedError(7));
  await using server = openServer({ pixels });
  const response = await server.app.request(
    "/v1/tokenize",
    bytes(png, "image/png", ASYNC),
  );
  strictEqual(response.status, 503);
  strictEqual(response.headers.get("retry-after"), "7");
  deepStrictEqual(await server.client.list(), []);
});
