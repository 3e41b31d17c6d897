/**
 * The arbitraries of requests, most of them malformed.
 *
 * @module
 */

import fc from "fast-check";
import { writeNpy } from "../../lib/npy.ts";
import { sourcePicture } from "../support/odd_pictures.ts";

/** A request to build. */
export interface AnyRequest {
  /** Path with its query. */
  readonly path: string;
  /** Options of the request, without a signal. */
  readonly init: RequestInit;
}

/** Paths that accept a body. */
export const POST_PATHS = [
  "/v1/generate",
  "/v1/caption",
  "/v1/tokenize",
  "/v1/detokenize",
  "/v1/score",
  "/v1/images/generations",
  "/v1/images/edits",
  "/v1/images/variations",
  "/v1/chat/completions",
  "/v1/responses",
  "/v2/models/generate/infer",
  "/v2/models/detokenize/infer",
  "/predictions",
  "/models/a/emu3-tiny/predictions",
  "/mcp",
  "/v1/files",
  "/v1/jobs/nothing/resume",
] as const;

const anyPath = fc.constantFrom(...POST_PATHS);

/** Header values that HTTP permits. */
const anyHeaderValue = fc.string({
  unit: fc.integer({ min: 32, max: 126 }).map((c) => String.fromCharCode(c)),
  maxLength: 40,
}).map((text) => text.trim());

const anyType = fc.oneof(
  fc.constantFrom(
    "application/json",
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/octet-stream",
    "application/x-npy",
    "text/plain",
    "",
  ),
  anyHeaderValue,
);

const anyAccept = fc.oneof(
  fc.constantFrom(
    "*/*",
    "application/json",
    "image/png",
    "image/*;q=0.5, application/json;q=0.1",
    "text/event-stream",
    "text/plain",
    "application/x-npy",
  ),
  anyHeaderValue,
);

/** Headers, some of which have a meaning for the server. */
export const anyHeaders: fc.Arbitrary<Record<string, string>> = fc.record({
  accept: anyAccept,
  "content-type": anyType,
  prefer: fc.oneof(
    fc.constantFrom(
      "wait=2",
      "respond-async, wait=1",
      "wait",
      "handling=lenient",
    ),
    anyHeaderValue,
  ),
  "idempotency-key": anyHeaderValue,
  "last-event-id": anyHeaderValue,
  "x-request-id": anyHeaderValue,
  "x-grid-height": fc.constantFrom("1", "4", "0", "-1", "1e9", "x"),
  "x-grid-width": fc.constantFrom("1", "4", "", "99999999"),
  "x-grid-frames": fc.constantFrom("1", "2", "0"),
  "content-encoding": fc.constantFrom("identity", "gzip", "br"),
  traceparent: anyHeaderValue,
  forwarded: anyHeaderValue,
  authorization: anyHeaderValue,
  "inference-header-content-length": fc.constantFrom("0", "10", "-1", "9e9"),
}, { requiredKeys: [] });

const anyBytes = fc.uint8Array({ maxLength: 400 })
  .map((bytes) => new Uint8Array(bytes));

/** Arbitrary bytes with any content type, at any path. */
export const anyBlind: fc.Arbitrary<AnyRequest> = fc.record({
  path: anyPath,
  query: fc.oneof(fc.constant(""), fc.webQueryParameters()),
  headers: anyHeaders,
  body: fc.oneof(anyBytes, fc.json(), fc.string()),
}).map(({ path, query, headers, body }) => ({
  path: query === "" ? path : `${path}?${query}`,
  init: { method: "POST", headers, body: body as BodyInit },
}));

const small = fc.integer({ min: 0, max: 40 });
const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  small,
  fc.double(),
  fc.constantFrom(8, 16, 32, "1:1", "chat", "jacobi", "zipar", "repeat", true),
);
const anyGrid: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({
    codes: fc.array(fc.array(fc.integer({ min: -1, max: 520 })), {
      maxLength: 5,
    }),
    height: small,
    width: small,
  }, { requiredKeys: ["codes"] }),
  fc.constant({ codes: [[1, 2], [3, 4]] }),
);
const tiny = sourcePicture("geo_tiny8_8x8.png").toBase64();
const anyPicture = fc.oneof(
  fc.constant(tiny),
  fc.constant(`data:image/png;base64,${tiny}`),
  fc.base64String(),
  fc.webUrl(),
  fc.string(),
);

/** Fields of functions, with valid and invalid values. */
export const anyFields: fc.Arbitrary<Record<string, unknown>> = fc.record({
  prompt: fc.oneof(fc.string(), anyValue),
  question: fc.string(),
  text: fc.string({ unit: "binary" }),
  negative_prompt: fc.string(),
  ratio: fc.oneof(fc.constantFrom("1:1", "16:9", "0:1", "1:x"), anyValue),
  image_area: fc.oneof(fc.constantFrom(256, 1024, 4096), anyValue),
  height: fc.oneof(fc.constantFrom(8, 16, 32), anyValue),
  width: fc.oneof(fc.constantFrom(8, 16, 32), anyValue),
  guidance_scale: anyValue,
  temperature: anyValue,
  top_k: anyValue,
  top_p: anyValue,
  seed: anyValue,
  n: fc.constantFrom(1, 2, 0, 9),
  prefix: anyGrid,
  strategy: anyValue,
  logprobs: fc.constantFrom(0, 1, 8, 9),
  preview: fc.boolean(),
  metadata: fc.boolean(),
  model: fc.oneof(fc.constant("emu3-tiny"), fc.string()),
  adapter: fc.string(),
  image: anyPicture,
  images: fc.array(anyPicture, { maxLength: 2 }),
  frames: fc.array(anyPicture, { maxLength: 5 }),
  grid: anyGrid,
  grids: fc.array(anyGrid, { maxLength: 2 }),
  clip: fc.record({ codes: fc.array(fc.constant([[1, 2], [3, 4]])) }),
  tokens: fc.array(fc.integer({ min: -2, max: 2 ** 32 }), { maxLength: 30 }),
  special: anyValue,
  template: anyValue,
  max_tokens: fc.constantFrom(1, 2, 0, -1),
  resize: anyValue,
  decode: anyValue,
  pad: anyValue,
  input: fc.constant({ prompt: "a fox", height: 16, width: 16 }),
  size: fc.constantFrom("auto", "32x32", "1024x1024", "x"),
  stream: fc.boolean(),
  messages: fc.array(anyValue, { maxLength: 3 }),
  webhook: fc.oneof(fc.constant({ url: "https://example.com" }), anyValue),
}, { requiredKeys: [] }).map((fields) => {
  // Without a size a picture takes a second, so few omit it.
  const sized = "height" in fields || "width" in fields ||
    "image_area" in fields;
  return sized ? fields : { ...fields, image_area: 256 };
});

/** JSON of a few fields each, so that some are accepted. */
export const anyJson: fc.Arbitrary<AnyRequest> = fc.record({
  path: anyPath,
  accept: anyAccept,
  fields: fc.oneof(
    anyFields,
    fc.subarray(["prompt", "image", "grid", "text", "question", "tokens"], {
      minLength: 1,
      maxLength: 2,
    }).chain((names) =>
      anyFields.map((fields) =>
        Object.fromEntries(
          Object.entries({ ...fields, image_area: 256 }).filter(([name]) =>
            names.includes(name) || name === "image_area"
          ),
        )
      )
    ),
  ),
}).map(({ path, accept, fields }) => ({
  path,
  init: {
    method: "POST",
    headers: { accept, "content-type": "application/json" },
    body: JSON.stringify(fields),
  },
}));

/** Changes some of `bytes`, and may truncate them. */
function damaged(
  bytes: Uint8Array<ArrayBuffer>,
): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const change = fc.record({
    at: fc.nat(Math.min(bytes.length - 1, 400)),
    to: fc.nat(255),
  });
  return fc.record({
    changes: fc.array(change, { maxLength: 6 }),
    length: fc.oneof(fc.constant(bytes.length), fc.nat(bytes.length)),
  }).map(({ changes, length }) => {
    const copy = bytes.slice(0, length);
    for (const { at, to } of changes) if (at < length) copy[at] = to;
    return copy;
  });
}

const npys = [
  writeNpy([2, 2], Uint16Array.of(1, 2, 3, 4)),
  writeNpy([1, 2, 2], Uint16Array.of(1, 2, 3, 4)),
];

/** Damaged files of codes. */
export const anyNpy: fc.Arbitrary<AnyRequest> = fc.constantFrom(...npys)
  .chain(damaged).map((body) => ({
    path: "/v1/detokenize",
    init: {
      method: "POST",
      headers: { "content-type": "application/x-npy" },
      body,
    },
  }));

const PICTURES = [
  ["geo_tiny8_8x8.png", "image/png"],
  ["baseline_420.jpg", "image/jpeg"],
  ["still.gif", "image/gif"],
  ["transparent.gif", "image/gif"],
  ["lossy.webp", "image/webp"],
  ["exif_orientation_3.jpg", "image/jpeg"],
  ["gray16.png", "image/png"],
] as const;

/** Damaged pictures. */
export const anyDamagedPicture: fc.Arbitrary<AnyRequest> = fc
  .constantFrom(...PICTURES)
  .chain(([name, type]) =>
    damaged(sourcePicture(name)).map((body) => ({
      path: "/v1/tokenize",
      init: { method: "POST", headers: { "content-type": type }, body },
    }))
  );
