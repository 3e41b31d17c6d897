import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  strictEqual,
} from "node:assert/strict";
import { readHeader } from "../../lib/image/header.ts";
import { decodeImage } from "../../lib/image/decode.ts";
import { DIGITAL_SOURCE_TYPE } from "../../functions/inference/image_metadata.ts";
import { readNpy } from "../../lib/npy.ts";
import { readPng } from "../../functions/playground/logic/png_text.js";
import { goldenJson, goldenPath } from "../support/golden.ts";
import { json, openTinyServer, parseEvents } from "../support/tiny_server.ts";

interface GoldenCase {
  readonly name: string;
  readonly prompt: string;
  readonly ratio: string;
  readonly "image_area": number;
  readonly guidance: number;
  readonly negative: string | null;
  readonly codes: number[][];
  readonly "given_codes"?: number[][];
  readonly png: string;
}

const golden = goldenJson<{ cases: GoldenCase[]; partial: GoldenCase[] }>(
  "generate.json",
);
const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const anyOptions = { decode: "display", maxPixels: 2 ** 20 } as const;

/** The request of two by three codes, which takes little time. */
const small = { prompt: "a fox", height: 16, width: 24, seed: 5 };

function generate(body: unknown, accept?: string): Promise<Response> {
  const headers = accept === undefined ? {} : { accept };
  return Promise.resolve(
    server.app.request("/v1/generate", json(body, headers)),
  );
}

/** Returns the request of a case of the reference, which is greedy. */
function requestOf(golden: GoldenCase) {
  return {
    prompt: golden.prompt,
    ratio: golden.ratio,
    "image_area": golden.image_area,
    "guidance_scale": golden.guidance,
    ...(golden.negative !== null && { "negative_prompt": golden.negative }),
    ...(golden.given_codes && { prefix: { codes: golden.given_codes } }),
    temperature: 0,
  };
}

for (const one of [...golden.cases, ...golden.partial]) {
  Deno.test(`POST /v1/generate equals the reference in ${one.name}`, async () => {
    const answer = await generate(requestOf(one));
    strictEqual(answer.status, 200);
    const { images } = await answer.json();
    deepStrictEqual(images[0].grid.codes, one.codes);
    const drawn = await decodeImage(
      Uint8Array.fromBase64(images[0].b64_json),
      anyOptions,
    );
    const expected = await decodeImage(
      await Deno.readFile(goldenPath(one.png)),
      anyOptions,
    );
    const furthest = drawn.pixels.reduce(
      (most, level, i) => Math.max(most, Math.abs(level - expected.pixels[i]!)),
      0,
    );
    ok(furthest <= 1, `${furthest} levels apart`);
  });
}

Deno.test("POST /v1/generate uses the checkpoint's defaults", async () => {
  const { images, strategy, lossless, model } = await (await generate({
    prompt: "a fox",
  })).json();
  strictEqual(model, "emu3-tiny");
  strictEqual(strategy, "jacobi");
  strictEqual(lossless, true);
  // The checkpoint's image_area is 64 × 64 pixels.
  deepStrictEqual([images[0].height, images[0].width], [64, 64]);
  deepStrictEqual([images[0].grid.height, images[0].grid.width], [8, 8]);
});

Deno.test("POST /v1/generate uses the requested strategy, and reports if it is lossless", async () => {
  const greedy = { prompt: "a fox", height: 32, width: 96, temperature: 0 };
  const draw = async (strategy: string) =>
    await (await generate({ ...greedy, strategy })).json();
  const plain = await draw("autoregressive");
  const jacobi = await draw("jacobi");
  const zipar = await draw("zipar");
  deepStrictEqual(
    [plain, jacobi, zipar].map(({ strategy, lossless }) => [
      strategy,
      lossless,
    ]),
    [["autoregressive", true], ["jacobi", true], ["zipar", false]],
  );
  deepStrictEqual(jacobi.images[0].grid, plain.images[0].grid);
  ok(jacobi.usage.forwards < plain.usage.forwards);
  ok(zipar.usage.forwards < plain.usage.forwards);
});

Deno.test("POST /v1/generate uses the same strategy for one and several pictures by default", async () => {
  const draw = async (body: Record<string, unknown>) =>
    (await (await generate({ ...small, ...body })).json()).strategy;
  for (const n of [1, 2, 4]) strictEqual(await draw({ n }), "jacobi");
  strictEqual(await draw({ n: 2, strategy: "zipar" }), "zipar");
});

Deno.test("POST /v1/generate uses the server's strategy by default", async () => {
  await using other = await openTinyServer({ strategy: "zipar" });
  const body = { ...small, height: 32, width: 96 };
  const answer = await other.app.request("/v1/generate", json(body));
  strictEqual((await answer.json()).strategy, "zipar");
  const listed = await (await other.app.request("/v1/models")).json();
  strictEqual(listed.data[0].defaults.strategy, "zipar");
});

Deno.test("POST /v1/generate repeats its picture for a seed, and returns the seed", async () => {
  const first = await (await generate(small)).json();
  const again = await (await generate(small)).json();
  const other = await (await generate({ ...small, seed: 6 })).json();
  strictEqual(first.seed, small.seed);
  deepStrictEqual(again.images, first.images);
  notStrictEqual(again.id, first.id);
  notStrictEqual(
    JSON.stringify(other.images[0].grid),
    JSON.stringify(first.images[0].grid),
  );
});

Deno.test("POST /v1/generate returns a random seed that repeats the picture", async () => {
  const { seed: _, ...unseeded } = small;
  const first = await (await generate(unseeded)).json();
  const again = await (await generate({ ...small, seed: first.seed })).json();
  deepStrictEqual(again.images[0].grid, first.images[0].grid);
});

Deno.test("POST /v1/generate draws n pictures from streams of one seed", async () => {
  const { images, usage } = await (await generate({ ...small, n: 3 })).json();
  const one = await (await generate(small)).json();
  strictEqual(images.length, 3);
  deepStrictEqual(images[0].grid, one.images[0].grid);
  notStrictEqual(
    JSON.stringify(images[1].grid),
    JSON.stringify(images[0].grid),
  );
  strictEqual(usage.image_tokens, 3 * one.usage.image_tokens);
});

Deno.test("POST /v1/generate draws picture i of a seed for every n", async () => {
  for (const strategy of [undefined, "autoregressive", "jacobi", "zipar"]) {
    const asked = { ...small, height: 96, width: 64, strategy };
    const gridsOf = async (n: number) =>
      (await (await generate({ ...asked, n })).json()).images
        .map(({ grid }: { grid: unknown }) => grid);
    const all = await gridsOf(4);
    for (const n of [1, 2, 3]) {
      deepStrictEqual(await gridsOf(n), all.slice(0, n), `${strategy}`);
    }
  }
});

Deno.test("POST /v1/generate reports that the size is too large, and not the prompt", async () => {
  const sizes: [object, string][] = [
    [{ height: 800, width: 800 }, "/height"],
    [{ "image_area": 800 * 800 }, "/image_area"],
    [{ "image_area": 800 * 800, ratio: "4:3" }, "/image_area"],
  ];
  for (const [size, pointer] of sizes) {
    const answer = await generate({ prompt: "a fox", ...size });
    strictEqual(answer.status, 422);
    const { type, errors: [error] } = await answer.json();
    match(type, /invalid-fields$/);
    strictEqual(error.pointer, pointer);
    match(
      error.detail,
      /tokens, and the context holds 9216: ask for a smaller/,
    );
  }
  const answer = await generate({ ...small, prompt: "a fox ".repeat(4000) });
  match((await answer.json()).type, /prompt-too-long$/);
});

Deno.test("POST /v1/generate answers with a file and headers", async () => {
  for (const type of ["image/png", "image/jpeg", "image/webp"]) {
    const answer = await generate(small, type);
    strictEqual(answer.headers.get("content-type"), type);
    strictEqual(answer.headers.get("x-seed"), "5");
    strictEqual(answer.headers.get("x-grid-height"), "2");
    strictEqual(answer.headers.get("x-grid-width"), "3");
    match(answer.headers.get("server-timing")!, /queue;dur=.*vision;dur=/);
    const image = await decodeImage(await answer.bytes(), anyOptions);
    deepStrictEqual([image.height, image.width], [16, 24]);
  }
});

Deno.test("POST /v1/generate encodes pictures of the requested type in JSON and events", async () => {
  const png = await (await generate(small, "image/png")).bytes();
  for (const format of ["png", "jpeg", "webp"]) {
    const asked = { ...small, "output_format": format, preview: true };
    const { images: [image] } = await (await generate(asked)).json();
    strictEqual(image.mime_type, `image/${format}`);
    const bytes = Uint8Array.fromBase64(image.b64_json);
    strictEqual(readHeader(bytes).type, format);
    // A WebP is lossless.
    if (format === "webp") {
      deepStrictEqual(
        await decodeImage(bytes, anyOptions),
        await decodeImage(png, anyOptions),
      );
    }
    const events = await (await generate(asked, "text/event-stream")).text();
    deepStrictEqual(
      new Set(events.match(/"mime_type":"[^"]+"/g)),
      new Set([`"mime_type":"image/${format}"`]),
    );
  }
});

Deno.test("POST /v1/generate refuses two different types of a file", async () => {
  const asked = { ...small, "output_format": "png" };
  strictEqual((await generate(asked, "image/png")).status, 200);
  const answer = await generate(asked, "image/jpeg");
  strictEqual(answer.status, 422);
  strictEqual((await answer.json()).errors[0].pointer, "/output_format");
});

Deno.test("POST /v1/generate marks files as generated by default", async () => {
  for (const type of ["image/png", "image/jpeg", "image/webp"]) {
    const marked = new TextDecoder().decode(
      await (await generate(small, type)).bytes(),
    );
    ok(marked.includes(DIGITAL_SOURCE_TYPE));
    ok(marked.includes("a fox"));
    const bare = new TextDecoder().decode(
      await (await generate({ ...small, metadata: false }, type)).bytes(),
    );
    ok(!bare.includes(DIGITAL_SOURCE_TYPE) && !bare.includes("fox"));
  }
});

Deno.test("POST /v1/generate stores in a PNG the request that repeats it, with its given rows", async () => {
  const given = { ...small, prefix: { codes: [[3, 1, 4]] } };
  const file = await (await generate(given, "image/png")).bytes();
  const { Description: prompt, parameters } = (await readPng(file))!.texts;
  const { grid, ...told } = JSON.parse(parameters!);
  deepStrictEqual(told.prefix, { height: 1, width: 3, codes: [[3, 1, 4]] });
  const { model: _, version: __, image_index: ___, ...settings } = told;
  const size = { height: 8 * grid.height, width: 8 * grid.width };
  const again = { ...settings, prompt, ...size };
  deepStrictEqual(await (await generate(again, "image/png")).bytes(), file);
  const jpeg = new TextDecoder().decode(
    await (await generate(given, "image/jpeg")).bytes(),
  );
  ok(jpeg.includes("&quot;prefix_rows&quot;:1"));
});

Deno.test("POST /v1/generate answers with bare codes", async () => {
  const { images } = await (await generate({ ...small, n: 2 })).json();
  const codes = images.map(
    ({ grid }: { grid: { codes: number[][] } }) => grid.codes.flat(),
  );
  const plain = await generate(small, "application/octet-stream");
  strictEqual(plain.headers.get("x-grid-width"), "3");
  const view = new Uint16Array((await plain.bytes()).buffer);
  deepStrictEqual([...view], codes[0]);
  const both = await generate({ ...small, n: 2 }, "application/x-npy");
  const { shape, values } = readNpy(await both.bytes());
  deepStrictEqual(shape, [2, 2, 3]);
  deepStrictEqual([...values], codes.flat());
});

Deno.test("POST /v1/generate sends at most 32 previews, the first with the first row, none with the last", async () => {
  const answer = await generate(
    { ...small, height: 8 * 33, width: 8, guidance_scale: 1, preview: true },
    "text/event-stream",
  );
  const rows = parseEvents(await answer.text())
    .filter(({ event }) => event === "row");
  const previewed = rows.filter(({ data }) => data.preview !== undefined)
    .map(({ data }) => data.index);
  strictEqual(rows.length, 33);
  // The others as far as decoding keeps up.
  strictEqual(previewed[0], 0);
  ok(previewed.every((index: number) => index % 2 === 0 && index < 32));
});

Deno.test("POST /v1/generate sends rows as they are drawn", async () => {
  const answer = await generate(
    { ...small, logprobs: 2, preview: true },
    "text/event-stream",
  );
  match(answer.headers.get("content-type")!, /^text\/event-stream/);
  const events = parseEvents(await answer.text());
  deepStrictEqual(events.map(({ event }) => event), [
    "queued",
    "started",
    "row",
    "row",
    "image",
    "completed",
  ]);
  const [queued, started, first, second, image, completed] = events.map(
    ({ data }) => data,
  );
  deepStrictEqual(queued, { position: 0 });
  strictEqual(started.seed, 5);
  deepStrictEqual(started.grid, { height: 2, width: 3 });
  deepStrictEqual([first.index, second.index], [0, 1]);
  deepStrictEqual(image.grid.codes, [first.codes, second.codes]);
  strictEqual(first.logprobs.length, 3);
  for (const { logprob, entropy, top } of first.logprobs) {
    ok(logprob <= 0 && entropy >= 0 && top.length === 2);
    ok(top[0].logprob >= top[1].logprob && top[0].logprob >= logprob);
  }
  const preview = Uint8Array.fromBase64(first.preview.b64_json);
  strictEqual((await decodeImage(preview, anyOptions)).height, 8);
  strictEqual(completed.id, started.id);
  deepStrictEqual(
    completed.images[0].rows.map(({ index }: { index: number }) => index),
    [0, 1],
  );
});

Deno.test("POST /v1/generate continues after given rows", async () => {
  const whole = await (await generate(small)).json();
  const [given, drawn] = whole.images[0].grid.codes;
  const answer = await generate(
    { ...small, prefix: { height: 1, codes: [given] } },
    "text/event-stream",
  );
  const events = parseEvents(await answer.text());
  const rows = events.filter(({ event }) => event === "row");
  deepStrictEqual(rows.map(({ data }) => data.index), [1]);
  // Draws are keyed by position, so the other rows are the same.
  deepStrictEqual(rows[0]!.data.codes, drawn);
});

Deno.test("POST /v1/generate draws without guidance at scale 1", async () => {
  const guided = await (await generate(small)).json();
  const plain = await (await generate({ ...small, "guidance_scale": 1 }))
    .json();
  ok(plain.usage.prompt_tokens < guided.usage.prompt_tokens);
});

Deno.test("POST /v1/generate logs tokens and never the prompt", async () => {
  await generate({ ...small, prompt: "my secret" });
  const last = server.trace.access.at(-1)!;
  strictEqual(last.path, "/v1/generate");
  strictEqual(last.status, 200);
  strictEqual(last.tokens, 2 * (3 + 1) + 3);
  ok(!JSON.stringify(server.trace).includes("secret"));
});
