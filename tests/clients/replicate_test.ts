// deno-lint-ignore-file camelcase -- names of the wire
/**
 * Compatibility tests of Replicate's own client, unmodified, over real sockets.
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import Replicate from "replicate";
import { json, openTinyServer } from "../support/tiny_server.ts";
import { listen } from "../support/tiny_http.ts";

const server = await openTinyServer();
const http = await listen(server.app);
const url = http.url;
const replicate = new Replicate({ auth: "anything", baseUrl: `${url}/v1` });
globalThis.addEventListener("unload", async () => {
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const fox = { prompt: "a fox", height: 64, width: 64, seed: 3 };
const PNG = [0x89, 0x50, 0x4e, 0x47];

/** Returns the picture of the native function. */
async function nativeFox(): Promise<string> {
  const answer = await server.app.request("/v1/generate", json(fox));
  return (await answer.json()).images[0].b64_json;
}

/** Returns a picture of the client. */
async function firstPicture(): Promise<Uint8Array<ArrayBuffer>> {
  const output = await replicate.run("baai/emu3-tiny", { input: fox });
  const [file] = output as unknown as [string];
  return await (await fetch(String(file))).bytes();
}

Deno.test("replicate.run() returns the picture of the native function, and reports progress", async () => {
  const seen: string[] = [];
  const output = await replicate.run(
    "baai/emu3-tiny",
    { input: { ...fox, num_outputs: 1, unheard_of: 1 } },
    ({ status, logs }) => seen.push(`${status} ${logs}`),
  );
  const pictures = output as unknown as string[];
  strictEqual(pictures.length, 1);
  const bytes = await (await fetch(String(pictures[0]))).bytes();
  strictEqual(bytes.toBase64(), await nativeFox());
  ok(seen.at(-1)!.startsWith("succeeded 100%|"), `${seen.at(-1)}`);
});

Deno.test("replicate.run() by polling returns the same picture", async () => {
  const output = await replicate.run("baai/generate:emu3-tiny", {
    input: fox,
    wait: { mode: "poll", interval: 10 },
  });
  const [picture] = output as unknown as [string];
  const bytes = await (await fetch(String(picture))).bytes();
  deepStrictEqual([...bytes.subarray(0, 4)], PNG);
});

Deno.test("replicate.run() uploads a file with a question", async () => {
  const image = new Blob([await firstPicture()], { type: "image/png" });
  const answer = await replicate.run("baai/caption", {
    input: { image, prompt: "What is it?", max_tokens: 8 },
  });
  const native = new FormData();
  native.append("image", image);
  native.append("question", "What is it?");
  native.append("max_tokens", "8");
  const body = { method: "POST", body: native };
  const { text } = await (await fetch(`${url}/v1/caption`, body)).json();
  strictEqual(answer, text);
});

Deno.test("replicate.stream() yields an answer in parts", async () => {
  const image = `data:image/png;base64,${await nativeFox()}`;
  const input = { image, max_tokens: 6 };
  const parts: string[] = [];
  let last: string | undefined;
  for await (const event of replicate.stream("baai/emu3-tiny", { input })) {
    if (event.event === "output") parts.push(event.data);
    last = event.event;
  }
  strictEqual(last, "done");
  strictEqual(parts.join(""), await replicate.run("baai/emu3-tiny", { input }));
});

Deno.test("replicate.predictions creates, finds, lists and cancels predictions", async () => {
  const created = await replicate.predictions.create({
    model: "baai/emu3-tiny",
    input: { ...fox, height: 512, width: 512 },
  });
  ok(["starting", "processing"].includes(created.status), created.status);
  strictEqual(created.urls.get, `${url}/v1/predictions/${created.id}`);
  const canceled = await replicate.predictions.cancel(created.id);
  strictEqual(canceled.status, "canceled");
  const found = await replicate.predictions.get(created.id);
  strictEqual(found.status, "canceled");
  deepStrictEqual(found.input, { ...fox, height: 512, width: 512 });
  const { results } = await replicate.predictions.list();
  ok(results.some(({ id }) => id === created.id));
  const { engine } = server.services.imageGenerator(undefined).language;
  strictEqual(engine.state.running + engine.state.waiting, 0);
});

Deno.test("replicate.run() reports errors with the message of the server", async () => {
  const input = { prompt: "a fox", height: 64 };
  await rejects(
    replicate.run("baai/emu3-tiny", { input }),
    /422.*set both height and width/,
  );
  await rejects(
    replicate.run("baai/emu9", { input: fox }),
    /404.*Cannot find model \\"emu9\\"/,
  );
  await rejects(replicate.predictions.get("nowhere"), /404.*Cannot find job/);
  await rejects(
    replicate.predictions.create({
      model: "baai/emu3-tiny",
      input: fox,
      webhook: "https://example.com/hook",
    }),
    /422.*webhooks are disabled/,
  );
});

Deno.test("models.get() finds a model by its name", async () => {
  const model = await replicate.models.get("baai", "emu3-tiny");
  strictEqual(model.name, "emu3-tiny");
  await rejects(replicate.models.get("baai", "emu9"), /404/);
});
