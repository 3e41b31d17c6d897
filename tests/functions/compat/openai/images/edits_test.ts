import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { STRATEGY_NAMES } from "../../../../../lib/drawing/strategy.ts";
import { describedBy } from "../../../../support/described.ts";
import { goldenPath } from "../../../../support/golden.ts";
import { JobClient } from "../../../../support/job_client.ts";
import { maskPng } from "../../../../support/masks.ts";
import { json, openTinyServer } from "../../../../support/tiny_server.ts";

const EDITS = "/v1/images/edits";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { check } = await describedBy(server.app);

/** Side in pixels of the tiny model's pictures, 8 × 8 codes. */
const SIDE = 64;
const square = { height: SIDE, width: SIDE };
const drawn = { prompt: "a fox", seed: 5 };

async function post(path: string, body: object, accept = "application/json") {
  const answer = await server.app.request(path, json(body, { accept }));
  return { status: answer.status, body: await answer.json() };
}

/** A picture of the drawn size, which needs no resizing. */
const image = (await (await server.app.request(
  "/v1/generate",
  json({ prompt: "a house", seed: 1 }, { accept: "image/png" }),
)).bytes()).toBase64();

function maskOf(alpha: (y: number, x: number) => number, size = square) {
  return maskPng(size, alpha).toBase64();
}

const lowerRight = (y: number, x: number) =>
  y >= SIDE / 2 && x >= SIDE / 2 ? 0 : 255;
const mask = maskOf(lowerRight);

/** Returns the picture's own codes, null where the lower right is drawn. */
async function ownCodes(): Promise<(number | null)[][]> {
  const { body } = await post("/v1/tokenize", { image, resize: "none" });
  return body.grid.codes.map((row: number[], y: number) =>
    row.map((code, x) => y >= 4 && x >= 4 ? null : code)
  );
}

async function generated(body: object): Promise<string> {
  const answer = await post("/v1/generate", { ...drawn, ...body });
  strictEqual(answer.status, 200);
  return answer.body.images[0].b64_json;
}

Deno.test("POST /v1/images/edits keeps the picture's codes outside the mask, in every strategy", async () => {
  const keep = { codes: await ownCodes() };
  for (const strategy of STRATEGY_NAMES) {
    const { status, body } = await post(EDITS, {
      ...drawn,
      image,
      mask,
      strategy,
    });
    strictEqual(status, 200);
    strictEqual(body.data[0].b64_json, await generated({ keep, strategy }));
    deepStrictEqual(body.edit, {
      how: "inpainted",
      "kept_codes": 48,
      "drawn_codes": 16,
    });
    strictEqual(body.size, `${SIDE}x${SIDE}`);
  }
});

Deno.test("POST /v1/images/edits with a full mask equals generate with that seed", async () => {
  const { body } = await post(EDITS, {
    ...drawn,
    image,
    mask: maskOf(() => 0),
    metadata: false,
  });
  strictEqual(body.data[0].b64_json, await generated({ metadata: false }));
});

Deno.test("POST /v1/images/edits returns the same for JSON, OpenAI's JSON and a form", async () => {
  const { body } = await post(EDITS, { ...drawn, image, mask });
  const url = (base64: string) => `data:image/png;base64,${base64}`;
  const theirs = await post(EDITS, {
    ...drawn,
    images: [{ "image_url": url(image) }],
    mask: { "image_url": url(mask) },
    size: "1024x1024",
    quality: "high",
    "input_fidelity": "high",
    background: "auto",
    user: "u",
  });
  deepStrictEqual(theirs.body.data, body.data);
  for (const name of ["image", "image[]"]) {
    const form = new FormData();
    const fields = { ...drawn, n: 1, model: "emu3-tiny", quality: "low" };
    for (const [key, value] of Object.entries(fields)) {
      form.set(key, `${value}`);
    }
    form.set(name, new File([Uint8Array.fromBase64(image)], "a.png"));
    form.set("mask", new File([Uint8Array.fromBase64(mask)], "m.png"));
    const init = { method: "POST", body: form };
    const answer = await server.app.request(EDITS, init);
    await check("POST", EDITS, answer.clone());
    deepStrictEqual((await answer.json()).data, body.data);
  }
});

Deno.test("POST /v1/images/edits without a mask uses the picture's transparency", async () => {
  const own = maskOf(lowerRight);
  const { body } = await post(EDITS, { ...drawn, image: own });
  const twice = await post(EDITS, { ...drawn, image: own, mask });
  deepStrictEqual(body.data, twice.body.data);
  strictEqual(body.edit.drawn_codes, 16);
});

Deno.test("POST /v1/images/edits keeps the ratio of the picture, at the model's area", async () => {
  const wide = (await Deno.readFile(goldenPath("chat/c1.png"))).toBase64();
  const size = { height: 48, width: 64 };
  const { body } = await post(EDITS, {
    ...drawn,
    image: wide,
    mask: maskOf(() => 0, size),
  });
  strictEqual(body.size, "72x56");
});

Deno.test("POST /v1/images/edits streams named events with drawn rows", async () => {
  const body = { ...drawn, image, mask, stream: true, "partial_images": 2 };
  const answer = await server.app.request(EDITS, json(body));
  const text = await answer.clone().text();
  deepStrictEqual(text.match(/^event: .*$/gm), [
    "event: image_edit.partial_image",
    "event: image_edit.partial_image",
    "event: image_edit.completed",
  ]);
  await check("POST", EDITS, answer);
});

Deno.test("POST /v1/images/edits samples n edits from separate streams, the first like a single edit", async () => {
  const asked = { ...drawn, image, mask, strategy: "autoregressive" };
  const one = await post(EDITS, asked);
  const { body } = await post(EDITS, { ...asked, n: 2 });
  strictEqual(body.data.length, 2);
  ok(body.data[0].b64_json !== body.data[1].b64_json);
  deepStrictEqual(body.data[0], one.body.data[0]);
});

Deno.test("POST /v1/images/edits of a form becomes a job with Prefer: respond-async, with the same answer", async () => {
  const form = new FormData();
  for (const [name, value] of Object.entries(drawn)) form.set(name, `${value}`);
  form.set("image", new File([Uint8Array.fromBase64(image)], "a.png"));
  form.set("mask", new File([Uint8Array.fromBase64(mask)], "m.png"));
  const answer = await server.app.request(EDITS, {
    method: "POST",
    body: form,
    headers: { prefer: "respond-async" },
  });
  strictEqual(answer.status, 202);
  const jobs = new JobClient((path, init) => server.app.request(path, init));
  const { id } = await answer.json();
  await jobs.events(id);
  const { body } = await post(EDITS, { ...drawn, image, mask });
  deepStrictEqual((await jobs.get(id)).result.data, body.data);
});

Deno.test("POST /v1/images/edits refuses an unsupported edit, naming the field and a remedy", async () => {
  const opaque = maskOf(() => 255);
  const small = maskOf(() => 0, { height: 8, width: 8 });
  for (
    const [pointer, pattern, body] of [
      ["/image", /is required/, { ...drawn, mask }],
      ["/prompt", /is required/, { image, mask }],
      ["/mask", /use POST \/v1\/images\/variations/, { ...drawn, image }],
      ["/mask", /alpha 0/, { ...drawn, image, mask: opaque }],
      ["/mask", /64 × 64 pixels/, { ...drawn, image, mask: small }],
      ["/mask/file_id", /image_url/, {
        ...drawn,
        image,
        mask: { "file_id": "f" },
      }],
      ["/images/0/file_id", /image_url/, {
        ...drawn,
        images: [{ "file_id": "f" }],
        mask,
      }],
      ["/image", /does not combine/, {
        ...drawn,
        images: [image, image],
        mask,
      }],
      ["/mask", /base64/, { ...drawn, image, mask: "***" }],
      ["/partial_images", /n above 1/, {
        ...drawn,
        image,
        mask,
        n: 2,
        stream: true,
        "partial_images": 1,
      }],
    ] as const
  ) {
    const { status, body: problem } = await post(EDITS, body);
    strictEqual(status, 422, pointer);
    strictEqual(problem.errors[0].pointer, pointer);
    match(problem.errors[0].detail, pattern);
  }
  const text = btoa("no picture");
  strictEqual((await post(EDITS, { ...drawn, image: text, mask })).status, 415);
  strictEqual((await post(EDITS, { ...drawn, image, mask: text })).status, 415);
});
