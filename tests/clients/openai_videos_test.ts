/**
 * Compatibility tests of OpenAI's own client, unmodified, against a running
 * server: videos.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type OpenAI from "openai";
import { toFile } from "openai";
import { readHeader } from "../../lib/image/header.ts";
import { listenClips } from "../support/clip_server.ts";
import { json } from "../support/tiny_server.ts";
import { apiFailure, openaiClient } from "../support/openai.ts";
import { until } from "../support/until.ts";

const server = await listenClips({
  "video_frames": 4,
  "video_max_frames": 24,
  "video_fps": 5,
});
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const client = openaiClient(server.url);

type Video = OpenAI.Videos.Video;

/** Polls until a video has ended. */
async function ended({ id }: Video): Promise<Video> {
  let video = await client.videos.retrieve(id);
  await until(async () => {
    video = await client.videos.retrieve(id);
    return video.status === "completed" || video.status === "failed";
  });
  return video;
}

/** Creates a video; extensions are fields as well. */
async function create(fields: object): Promise<Video> {
  return await client.videos.create({ prompt: "a fox", ...fields });
}

Deno.test("openai: videos.create(), retrieve() and downloadContent() make a clip", async () => {
  const video = await create({ size: "1280x720", seed: 5 });
  match(video.id, /^video_[0-9a-f]{32}$/);
  deepStrictEqual([video.object, video.error, video.prompt], [
    "video",
    null,
    "a fox",
  ]);
  const done = await ended(video);
  deepStrictEqual([done.status, done.progress], ["completed", 100]);
  // The tiny model draws 4 frames at 5 per second, of about 64 × 64 pixels.
  strictEqual(done.seconds, "0.8");
  const [width, height] = done.size.split("x").map(Number);
  ok(width! > height!, done.size);
  ok(done.completed_at! >= done.created_at);
  const content = await client.videos.downloadContent(video.id);
  strictEqual(content.status, 200);
  const type = content.headers.get("content-type");
  if (type === "image/apng") {
    const header = readHeader(await content.bytes());
    deepStrictEqual(
      [header.frames, header.height, header.width],
      [4, height, width],
    );
  } else strictEqual(type, "video/mp4");
  const thumbnail = await client.videos.downloadContent(video.id, {
    variant: "thumbnail",
  });
  const shown = readHeader(await thumbnail.bytes());
  deepStrictEqual([shown.height, shown.width], [height, width]);
  const sheet = await client.videos.downloadContent(video.id, {
    variant: "spritesheet",
  });
  const all = readHeader(await sheet.bytes());
  deepStrictEqual([all.height, all.width], [2 * height!, 2 * width!]);
});

Deno.test("openai: a video equals the clip of generate", async () => {
  const video = await ended(await create({ seed: 5, seconds: "1" }));
  strictEqual(video.seconds, "1");
  const sheet = await client.videos.downloadContent(video.id, {
    variant: "thumbnail",
  });
  const clip = await fetch(
    `${server.url}/v1/generate`,
    json({ prompt: "a fox", frames: 5, seed: 5, "output_format": "zip" }),
  );
  const { clips: [{ clip: { codes } }] } = await clip.json();
  const first = await fetch(
    `${server.url}/v1/detokenize`,
    json({ grid: { codes: codes[0] } }),
  );
  deepStrictEqual(await sheet.bytes(), await first.bytes());
});

Deno.test("openai: videos.create() continues a picture, by file, data URL or object", async () => {
  const drawn = await client.images.generate({
    prompt: "a house",
    ...{ seed: 3 },
  });
  const base64 = drawn.data![0]!.b64_json!;
  const url = `data:image/png;base64,${base64}`;
  const bytes = Uint8Array.fromBase64(base64);
  const references = [
    await toFile(bytes, "a.png", { type: "image/png" }),
    { image_url: url },
  ];
  const sheets: Uint8Array[] = [];
  for (const reference of references) {
    const video = await ended(
      await create({ input_reference: reference, seed: 7 }),
    );
    strictEqual(video.status, "completed", JSON.stringify(video.error));
    strictEqual(video.size as string, "64x64");
    const sheet = await client.videos.downloadContent(video.id, {
      variant: "spritesheet",
    });
    sheets.push(await sheet.bytes());
  }
  const answer = await fetch(
    `${server.url}/v1/videos`,
    json({ prompt: "a fox", seed: 7, "input_reference": url }),
  );
  const video = await ended(await answer.json());
  const sheet = await client.videos.downloadContent(video.id, {
    variant: "spritesheet",
  });
  sheets.push(await sheet.bytes());
  deepStrictEqual(sheets[1], sheets[0]);
  deepStrictEqual(sheets[2], sheets[0]);
});

Deno.test("openai: videos.list() pages through videos alone, in both orders, and delete() removes them", async () => {
  for await (const { id } of client.videos.list()) {
    deepStrictEqual(await client.videos.delete(id), {
      id,
      deleted: true,
      object: "video.deleted",
    });
  }
  const other = await fetch(
    `${server.url}/v1/generate`,
    json({ prompt: "a", height: 16, width: 16 }, { prefer: "respond-async" }),
  );
  strictEqual(other.status, 202);
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push((await create({ seconds: "0.4" })).id);
  const listed = async (order: "asc" | "desc") => {
    const videos = client.videos.list({ limit: 2, order });
    return (await Array.fromAsync(videos)).map(({ id }) => id);
  };
  deepStrictEqual(await listed("asc"), ids);
  deepStrictEqual(await listed("desc"), ids.toReversed());
  await client.videos.delete(ids[0]!);
  deepStrictEqual(await listed("asc"), ids.slice(1));
  const gone = await apiFailure(client.videos.retrieve(ids[0]!));
  strictEqual(gone.status, 404);
});

for (
  const [name, fields, param] of [
    ["longer than the model's longest clip", { seconds: "12" }, "seconds"],
    ["of no duration", { seconds: "soon" }, "seconds"],
    ["of a size that is none", { size: "wide" }, "size"],
    ["of a ratio that no grid has", { size: "9999x1" }, "size"],
    ["after a file that is stored nowhere", {
      input_reference: { file_id: "file-1" },
    }, "input_reference.file_id"],
    ["after text that is no picture", {
      input_reference: { image_url: "#" },
    }, "input_reference"],
    ["without a prompt", { prompt: "" }, "prompt"],
  ] as const
) {
  Deno.test(`openai: videos.create() refuses a video ${name}`, async () => {
    const body = { prompt: "a fox", ...fields };
    const answer = await fetch(`${server.url}/v1/videos`, json(body));
    strictEqual(answer.status, 422);
    const { error } = await answer.json();
    strictEqual(error.param, param);
  });
}

Deno.test("openai: a video that is not completed has no content", async () => {
  const video = await create({ seconds: "4" });
  const error = await apiFailure(client.videos.downloadContent(video.id));
  strictEqual(error.status, 404);
  match(error.message, /poll GET/);
  await client.videos.delete(video.id);
  await server.idle();
});

Deno.test("openai: a canceled video has failed", async () => {
  const video = await create({ seconds: "4" });
  await fetch(`${server.url}/v1/jobs/${video.id}`, { method: "DELETE" });
  const { status, error } = await ended(video);
  deepStrictEqual([status, error?.code], ["failed", "canceled"]);
});
