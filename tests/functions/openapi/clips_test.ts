/** The laws of `/openapi.json` about clips, on a checkpoint that draws them. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { apiKeys } from "../../../functions/middleware/api_keys.ts";
import { openClipServer, SMALL_CLIP } from "../../support/clip_server.ts";
import { describedBy } from "../../support/described.ts";
import {
  json,
  openTinyServer,
  parseEvents,
} from "../../support/tiny_server.ts";

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

Deno.test("/openapi.json describes a video, its content and its removal", async () => {
  const call = async (method: string, path: string, init: RequestInit = {}) => {
    const answer = await server.app.request(path, { ...init, method });
    const copy = answer.clone();
    await check(method, path, answer);
    return copy;
  };
  const made = await call("POST", "/v1/videos", json({ prompt: "a fox" }));
  strictEqual(made.status, 200);
  const { id } = await made.json();
  const path = `/v1/videos/${id}`;
  await server.jobs.runner.settled(id, new AbortController().signal);
  for (
    const [method, route, expected] of [
      ["GET", path, 200],
      ["GET", `${path}/content`, 200],
      ["GET", `${path}/content?variant=spritesheet`, 200],
      ["GET", `${path}/content?variant=film`, 422],
      ["GET", "/v1/videos", 200],
      ["GET", "/v1/videos?limit=0", 422],
      ["GET", "/v1/videos?after=nobody", 404],
      ["DELETE", path, 200],
      ["GET", path, 404],
      ["GET", `${path}/content`, 404],
      ["DELETE", path, 404],
    ] as const
  ) strictEqual((await call(method, route)).status, expected, route);
  const refused = json({ prompt: "a fox", seconds: "1000" });
  strictEqual((await call("POST", "/v1/videos", refused)).status, 422);
});

Deno.test("/v1/videos/{id} is unknown to other callers, and jobs are no videos", async () => {
  const job = await server.app.request(
    "/v1/generate",
    json(SMALL_CLIP, { prefer: "respond-async" }),
  );
  const { id } = await job.json();
  const answer = await server.app.request(`/v1/videos/${id}`);
  strictEqual(answer.status, 404);
  const keys = { apiKeys: apiKeys("first,second") };
  await using closed = await openClipServer({}, {}, keys);
  const as = (key: string, path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${key}`);
    return closed.app.request(path, { ...init, headers });
  };
  const made = await as("first", "/v1/videos", json({ prompt: "a fox" }));
  const video = await made.json();
  for (const [key, expected] of [["first", 200], ["second", 404]] as const) {
    const { status } = await as(key, `/v1/videos/${video.id}`);
    strictEqual(status, expected);
    const list = await (await as(key, "/v1/videos")).json();
    strictEqual(list.data.length, expected === 200 ? 1 : 0);
  }
});

Deno.test("/v1/videos answers a repeated Idempotency-Key with the same video", async () => {
  const init = json({ prompt: "a fox" }, { "idempotency-key": "video" });
  const [first, again] = [
    await (await server.app.request("/v1/videos", init)).json(),
    await (await server.app.request("/v1/videos", init)).json(),
  ];
  strictEqual(again.id, first.id);
});

Deno.test("/v1/videos refuses a model that draws no clips, and says what does", async () => {
  await using images = await openTinyServer();
  const { check } = await describedBy(images.app);
  const init = json({ prompt: "a fox" });
  const answer = await images.app.request("/v1/videos", init);
  strictEqual(answer.status, 422);
  const { error } = await answer.clone().json();
  match(error.message, /draws images only.*video_format/);
  await check("POST", "/v1/videos", answer);
  const list = await images.app.request("/v1/videos");
  deepStrictEqual((await list.json()).data, []);
});

Deno.test("/v1/videos is disabled with generate", async () => {
  const functions = new Set(["caption"] as const);
  await using server = await openClipServer({}, { functions });
  const answer = await server.app.request("/v1/videos", json({ prompt: "a" }));
  strictEqual(answer.status, 404);
  match((await answer.json()).detail, /generate is disabled/);
});
