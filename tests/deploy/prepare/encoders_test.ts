import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { captionerOf } from "../../../deploy/prepare/encoding/captioner.ts";
import { openLocalEncoder } from "../../../deploy/prepare/encoding/local_encoder.ts";
import type { PictureEncoder } from "../../../deploy/prepare/encoding/picture_encoder.ts";
import { openRemoteEncoder } from "../../../deploy/prepare/encoding/remote_encoder.ts";
import { SERVER_OPTIONS } from "../../../deploy/prepare/encoding/server.ts";
import type { CodeGrid } from "../../../lib/grid.ts";
import { type Resize, RESIZES } from "../../../lib/tuning/training_sizes.ts";
import { tinyFolder } from "../../support/tiny.ts";
import { openTinyServer } from "../../support/tiny_server.ts";

const FOLDER = new URL("../../golden/preprocess/", import.meta.url);

/** Files of golden pictures: of every type, some unusable. */
const FILES = [...Deno.readDirSync(FOLDER)].filter(({ isFile }) => isFile)
  .map(({ name }) => name).sort();

const SERVER = {
  ...{ ...SERVER_OPTIONS, restMs: 1, apiKey: undefined, now: Date.now },
};
const { signal } = new AbortController();

/** Codes of each file, or the reason that there are none. */
async function codesOf(
  encoder: PictureEncoder,
): Promise<ReadonlyMap<string, CodeGrid | string>> {
  const found = await Promise.all(FILES.map(async (name) => {
    const bytes = await Deno.readFile(new URL(name, FOLDER));
    const codes = await encoder.encode(bytes, signal).catch((error) =>
      String(error.message).replace(/^http:\S+: /, "")
    );
    return [name, codes] as const;
  }));
  return new Map(found);
}

async function localCodes(resize: Resize) {
  await using encoder = await openLocalEncoder({
    ...{ folder: tinyFolder("emu3-tiny-visiontokenizer"), threads: 2 },
    ...{ resize, imageArea: 4096, device: "cpu", library: undefined },
    warn: () => {},
  });
  strictEqual(encoder.tokenizer.name, "emu3-tiny-visiontokenizer");
  return { tokenizer: encoder.tokenizer, codes: await codesOf(encoder) };
}

/** Serves an application on a free port. */
function serve(handler: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve({ port: 0, onListen: () => {} }, handler);
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

for (const resize of RESIZES) {
  Deno.test(`openRemoteEncoder() returns the codes of openLocalEncoder() with resize ${resize}, even if a server dies`, async () => {
    const local = await localCodes(resize);
    ok([...local.codes.values()].some((codes) => typeof codes === "object"));
    await using tiny = await openTinyServer();
    const fetch = (request: Request) => tiny.app.fetch(request);
    let left = 5;
    await using a = serve(fetch);
    await using b = serve(fetch);
    await using dying = serve((request) => {
      if (left-- > 0) return fetch(request);
      return new Response("dead", { status: 500 });
    });
    const endpoints = [a, b, dying].map(({ url }) => url);
    await using encoder = await openRemoteEncoder({
      ...{ endpoints, server: SERVER, threads: 2, resize, imageArea: 4096 },
    }, signal);
    deepStrictEqual(encoder.tokenizer, local.tokenizer);
    deepStrictEqual(await codesOf(encoder), local.codes);
  });
}

Deno.test("openRemoteEncoder() rejects servers without a tokenizer, with different ones, and without answers", async () => {
  const models = (maxPixels?: number) => () =>
    Response.json({
      data: [{
        id: "x",
        preprocessing: maxPixels && { "max_pixels": maxPixels },
      }],
    });
  await using none = serve(models());
  await using one = serve(models(100));
  await using two = serve(models(200));
  const open = (...endpoints: string[]) =>
    openRemoteEncoder({
      ...{ endpoints, server: SERVER, threads: 1, resize: "smart" },
      imageArea: undefined,
    }, signal);
  await rejects(
    open(none.url),
    /no vision tokenizer; add tokenize to its FUNCTIONS/,
  );
  await rejects(open(one.url, two.url), /have different vision tokenizers/);
  await rejects(open("http://127.0.0.1:9"), /no server answers: http/);
});

Deno.test("captionerOf() returns the same caption for a picture on every call", async () => {
  await using tiny = await openTinyServer();
  await using server = serve((request) => tiny.app.fetch(request));
  const caption = captionerOf([server.url], "What is it?", SERVER);
  const bytes = await Deno.readFile(new URL("baseline_444.jpg", FOLDER));
  const text = await caption(bytes, signal);
  strictEqual(typeof text, "string");
  strictEqual(await caption(bytes, signal), text);
});
