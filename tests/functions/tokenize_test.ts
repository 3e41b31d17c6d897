import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { readNpy } from "../../lib/npy.ts";
import { animatedPng } from "../support/animations.ts";
import { decodeImage } from "../../lib/image/decode.ts";
import { changedFolder } from "../support/changed_folder.ts";
import { goldenJson, goldenPath } from "../support/golden.ts";
import { int32, readSafetensors } from "../support/safetensors.ts";
import { bytes, json, openTinyServer } from "../support/tiny_server.ts";

const golden = goldenJson<{
  images: {
    name: string;
    file: string;
    "size_wh": [number, number];
    "resized_hw": [number, number];
  }[];
  clips: { name: string; dir: string; frames: number }[];
}>("vq.json");
const tensors = readSafetensors(goldenPath("vq.safetensors"));
const generated = goldenJson<{
  cases: {
    prompt: string;
    guidance: number;
    negative: string | null;
    ratio: string;
    "image_area": number;
    "prompt_ids": number[];
    "negative_ids": number[] | null;
  }[];
}>("generate.json");
const chat = goldenJson<{
  cases: { file: string; question: string; "prompt_ids": number[] }[];
}>("chat.json");
const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

function post(init: RequestInit, query = ""): Promise<Response> {
  return Promise.resolve(server.app.request(`/v1/tokenize${query}`, init));
}

function file(path: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(goldenPath(path));
}

/** Returns the frames of a clip as a form. */
function framesForm(dir: string, count: number): FormData {
  const form = new FormData();
  for (let i = 0; i < count; i++) {
    const name = `${String(i).padStart(2, "0")}.png`;
    form.append("frames", new File([file(`${dir}/${name}`)], name));
  }
  return form;
}

Deno.test("POST /v1/tokenize encodes the same for a folder that transformers 5 saved as for its source", async () => {
  const source = goldenPath("checkpoints/emu3-tiny-hf");
  const { processor_class: processor, ...settings } = goldenJson<
    Record<string, unknown>
  >("checkpoints/emu3-tiny-hf/preprocessor_config.json");
  using saved = changedFolder(source, {
    "preprocessor_config.json": undefined,
    "processor_config.json": JSON.stringify({
      "image_processor": settings,
      "processor_class": processor,
    }),
  });
  await using newer = await openTinyServer({
    functions: new Set(["tokenize"]),
    folders: { gen: saved.path, chat: saved.path, vision: undefined },
  });
  const [one] = golden.images;
  const answer = await newer.app.request(
    "/v1/tokenize?decode=reference",
    bytes(file(one!.file), "image/png"),
  );
  const { grid, resized } = await answer.json();
  deepStrictEqual([resized.height, resized.width], one!.resized_hw);
  deepStrictEqual(grid.codes.flat(), [
    ...int32(tensors, `${one!.name}.codes`),
  ]);
});

for (const one of golden.images) {
  Deno.test(`POST /v1/tokenize encodes ${one.name} as the reference does`, async () => {
    const answer = await post(
      bytes(file(one.file), "image/png"),
      "?decode=reference",
    );
    const { grid, source, resized, model } = await answer.json();
    strictEqual(model, "emu3-tiny-visiontokenizer");
    deepStrictEqual(grid.codes.flat(), [
      ...int32(tensors, `${one.name}.codes`),
    ]);
    const [width, height] = one.size_wh;
    deepStrictEqual(source, { height, width });
    deepStrictEqual([resized.height, resized.width], one.resized_hw);
  });
}

for (const { name, dir, frames } of golden.clips) {
  Deno.test(`POST /v1/tokenize encodes ${name} as the reference does`, async () => {
    const form = { method: "POST", body: framesForm(dir, frames) };
    const { clip } = await (await post(form)).json();
    strictEqual(clip.frames, frames / 4);
    deepStrictEqual(clip.codes.flat(2), [
      ...int32(tensors, `${name}.chunk_codes`),
    ]);
  });
}

Deno.test("POST /v1/tokenize encodes frames in JSON and an animation to the same codes", async () => {
  const { dir } = golden.clips[0]!;
  const files = [0, 1, 2, 3].map((i) => file(`${dir}/0${i}.png`));
  const options = { decode: "display", maxPixels: 2 ** 20 } as const;
  const images = await Promise.all(
    files.map((bytes) => decodeImage(bytes, options)),
  );
  const apng = animatedPng(images, { framesPerSecond: 4 });
  const form = { method: "POST", body: framesForm(dir, 4) };
  const expected = (await (await post(form)).json()).clip;
  const frames = files.map((bytes) => bytes.toBase64());
  deepStrictEqual((await (await post(json({ frames }))).json()).clip, expected);
  const animated = await post(bytes(new Uint8Array(apng), "image/png"));
  deepStrictEqual((await animated.json()).clip, expected);
});

Deno.test("POST /v1/tokenize encodes an animated GIF as a clip", async () => {
  const gif = file("preprocess/animated.gif");
  const { clip } = await (await post(
    bytes(gif, "image/gif"),
    "?pad=repeat",
  )).json();
  strictEqual(clip.frames, 1);
});

Deno.test("POST /v1/tokenize repeats the last frame to fill a clip", async () => {
  const { dir } = golden.clips[0]!;
  const frames = [0, 1, 2, 2].map((i) => file(`${dir}/0${i}.png`).toBase64());
  const whole = await (await post(json({ frames }))).json();
  const padded = await (await post(
    json({ frames: frames.slice(0, 3), pad: "repeat" }),
  )).json();
  deepStrictEqual(padded.clip, whole.clip);
});

Deno.test("POST /v1/tokenize answers with bare codes", async () => {
  const picture = file("vq/im2_text_72x56.png");
  const { grid } = await (await post(bytes(picture, "image/png"))).json();
  const plain = await post(
    bytes(picture, "image/png", { accept: "application/octet-stream" }),
  );
  strictEqual(plain.headers.get("x-grid-height"), "7");
  strictEqual(plain.headers.get("x-grid-width"), "9");
  deepStrictEqual(
    [...new Uint16Array((await plain.bytes()).buffer)],
    grid.codes.flat(),
  );
  const npy = await post(
    bytes(picture, "image/png", { accept: "application/x-npy" }),
  );
  deepStrictEqual(readNpy(await npy.bytes()).shape, [7, 9]);
});

Deno.test("POST /v1/tokenize keeps the size on request", async () => {
  const picture = file("preprocess/geo_tiny8_8x8.png");
  const smart = await (await post(bytes(picture, "image/png"))).json();
  const alone = await (await post(
    bytes(picture, "image/png"),
    "?resize=none",
  )).json();
  deepStrictEqual([smart.grid.height, smart.grid.width], [4, 4]);
  deepStrictEqual([alone.grid.height, alone.grid.width], [1, 1]);
});

Deno.test("POST /v1/tokenize rotates a picture only for display", async () => {
  const jpeg = bytes(file("preprocess/exif_orientation_6.jpg"), "image/jpeg");
  const display = await (await post(jpeg)).json();
  const reference = await (await post(jpeg, "?decode=reference")).json();
  deepStrictEqual(
    [display.source.height, display.source.width],
    [reference.source.width, reference.source.height],
  );
});

Deno.test("POST /v1/tokenize accepts special tokens in text on request", async () => {
  const text = "a<|extra_204|>";
  const plain = await (await post(json({ text }))).json();
  const special = await (await post(json({ text, special: true }))).json();
  deepStrictEqual(special.tokens, [64, 1231]);
  strictEqual(special.count, 2);
  strictEqual(plain.tokens.includes(1231), false);
  deepStrictEqual((await (await post(json({ text: "" }))).json()).tokens, []);
});

Deno.test("POST /v1/tokenize returns the tokens of a drawing's prompt", async () => {
  for (const one of generated.cases) {
    const prompt = {
      prompt: one.prompt,
      ratio: one.ratio,
      "image_area": one.image_area,
      "guidance_scale": one.guidance,
      ...(one.negative !== null && { "negative_prompt": one.negative }),
    };
    const { tokens, unconditional } = await (await post(json({ prompt })))
      .json();
    deepStrictEqual(tokens, one.prompt_ids);
    deepStrictEqual(unconditional ?? null, one.negative_ids);
  }
});

Deno.test("POST /v1/tokenize returns the tokens of a question's prompt", async () => {
  const { file: name, question, prompt_ids: ids } = chat.cases[0]!;
  const form = new FormData();
  form.set("image", new File([file(name)], "a.png"));
  form.set("question", question);
  const { tokens, count } = await (await post({ method: "POST", body: form }))
    .json();
  deepStrictEqual(tokens, ids);
  strictEqual(count, ids.length);
});

Deno.test("POST /v1/tokenize of text answers JSON only", async () => {
  const answer = await post(
    json({ text: "a" }, { accept: "application/x-npy" }),
  );
  strictEqual(answer.status, 406);
  match((await answer.json()).detail, /application\/json/);
});
