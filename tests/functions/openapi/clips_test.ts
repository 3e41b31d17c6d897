/** The laws of `/openapi.json` about clips, on a checkpoint that draws them. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { openClipServer, SMALL_CLIP } from "../../support/clip_server.ts";
import { describedBy } from "../../support/described.ts";
import { json, parseEvents } from "../../support/tiny_server.ts";

const server = await openClipServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { check } = await describedBy(server.app);

for (
  const accept of [
    "application/json",
    "image/apng",
    "image/gif",
    "application/zip",
    "application/octet-stream",
    "application/x-npy",
    "text/event-stream",
  ]
) {
  Deno.test(`/v1/generate answers a clip as ${accept}, as described`, async () => {
    const body = { ...SMALL_CLIP, preview: true, logprobs: 1 };
    const init = json(body, { accept });
    const answer = await server.app.request("/v1/generate", init);
    strictEqual(answer.status, 200);
    await check("POST", "/v1/generate", answer);
  });
}

for (
  const [name, wrong] of Object.entries({
    "a prefix": { prefix: { codes: [[1, 2, 3]] } },
    "a format of images": { "output_format": "png" },
    "an animation that is none": { context: ["AAAA"] },
  })
) {
  Deno.test(`/v1/generate refuses a clip with ${name}, as described`, async () => {
    const init = json({ ...SMALL_CLIP, ...wrong });
    const answer = await server.app.request("/v1/generate", init);
    strictEqual(answer.ok, false);
    await check("POST", "/v1/generate", answer);
  });
}

Deno.test("/v1/generate streams a clip row by row and frame by frame, as described", async () => {
  const init = json(SMALL_CLIP, { accept: "text/event-stream" });
  const answer = await server.app.request("/v1/generate", init);
  const events = parseEvents(await answer.text());
  const named = (name: string) => events.filter(({ event }) => event === name);
  const [started] = named("started");
  deepStrictEqual(
    [started!.data.frames, started!.data.given, started!.data.rows],
    [4, 0, 8],
  );
  deepStrictEqual(
    named("row").map(({ data }) => [data.frame, data.index]),
    [0, 1, 2, 3].flatMap((frame) => [[frame, 0], [frame, 1]]),
  );
  deepStrictEqual(named("frame").map(({ data }) => data.frame), [0, 1, 2, 3]);
  deepStrictEqual(
    named("clip")[0]!.data.clip,
    named("completed")[0]!.data.clips[0].clip,
  );
});

Deno.test("/v1/models describes the clips of a model", async () => {
  const answer = await server.app.request("/v1/models");
  const { data } = await answer.clone().json();
  deepStrictEqual(data[0].clips.format, "frames");
  await check("GET", "/v1/models", answer);
});
