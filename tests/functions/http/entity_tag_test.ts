/**
 * The laws of entity tags: the answers that have one, its inputs, and its
 * effect.
 */

import {
  deepStrictEqual,
  match,
  notStrictEqual,
  strictEqual,
} from "node:assert/strict";
import { goldenPath } from "../../support/golden.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import {
  bytes,
  json,
  openTinyServer,
  type TinyServer,
} from "../../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const picture = Deno.readFileSync(goldenPath("chat/c0.png"));
const grid = { codes: [[1, 2], [3, 4]] };
const clip = { codes: [[[1, 2]], [[3, 4]]] };
const small = { prompt: "a fox", height: 16, width: 16 };
const asked = { grid, "max_tokens": 2 };

function ask(
  name: string,
  body: unknown,
  headers: Record<string, string> = {},
  { app }: Pick<TinyServer, "app"> = server,
): Promise<Response> {
  return Promise.resolve(app.request(`/v1/${name}`, json(body, headers)));
}

async function tagOf(
  ...request: Parameters<typeof ask>
): Promise<string | null> {
  const answer = await ask(...request);
  strictEqual(answer.status, 200);
  await answer.body?.cancel();
  return answer.headers.get("etag");
}

const tagged: readonly [string, unknown, string, "strong" | "weak"][] = [
  ["generate", { ...small, seed: 1 }, "application/json", "weak"],
  ["generate", { ...small, seed: 1 }, "image/png", "strong"],
  ["generate", { ...small, seed: 1 }, "application/x-npy", "strong"],
  ["generate", { ...small, temperature: 0 }, "image/jpeg", "strong"],
  ["caption", asked, "application/json", "weak"],
  ["caption", asked, "text/plain", "strong"],
  ["caption", { ...asked, temperature: 1, seed: 1 }, "text/plain", "strong"],
  ["tokenize", { image: picture.toBase64() }, "application/json", "strong"],
  ["tokenize", { text: "a fox" }, "application/json", "strong"],
  ["tokenize", { prompt: small }, "application/json", "strong"],
  ["tokenize", { question: "", grid }, "application/json", "strong"],
  ["detokenize", { grid }, "image/png", "strong"],
  ["detokenize", { clip }, "application/zip", "strong"],
  ["detokenize", { tokens: [1, 2] }, "application/json", "strong"],
  ["score", { grid, prompt: "a fox" }, "application/json", "weak"],
];
for (const [name, body, accept, strength] of tagged) {
  Deno.test(`${name} as ${accept} has a ${strength} tag for ${Object.keys(body as object)}, and is not done again for who has it`, async () => {
    const first = await ask(name, body, { accept });
    const tag = first.headers.get("etag")!;
    match(tag, strength === "weak" ? /^W\/"[\w-]{22}"$/ : /^"[\w-]{22}"$/);
    const again = await ask(name, body, { accept });
    strictEqual(again.headers.get("etag"), tag);
    // A strong tag guarantees the same bytes.
    const same = strength === "strong";
    const [a, b] = await Promise.all([first.bytes(), again.bytes()]);
    if (same) deepStrictEqual(b, a);
    const known = await ask(name, body, {
      accept,
      "if-none-match": `"other", ${tag}`,
    });
    strictEqual(known.status, 412);
    strictEqual((await known.json()).error.code, "precondition-failed");
    const other = await ask(name, body, { accept, "if-none-match": '"other"' });
    strictEqual(other.status, 200);
    await other.body?.cancel();
  });
}

const untagged: readonly [string, unknown, string][] = [
  ["generate", small, "image/png"],
  ["generate", { ...small, seed: 1 }, "text/event-stream"],
  ["caption", { ...asked, temperature: 1 }, "text/plain"],
  ["caption", asked, "text/event-stream"],
];
for (const [name, body, accept] of untagged) {
  Deno.test(`${name} as ${accept} has no tag for ${Object.keys(body as object)}`, async () => {
    strictEqual(await tagOf(name, body, { accept }), null);
  });
}

Deno.test("an entity tag depends on type, field, picture and route", async () => {
  const body = { ...small, temperature: 0 };
  const png = { accept: "image/png" };
  const raw = async (body: Uint8Array<ArrayBuffer>, sides: string) => {
    const headers = { "x-grid-height": sides[0]!, "x-grid-width": sides[1]! };
    const init = bytes(body, "application/octet-stream", headers);
    const answer = await server.app.request("/v1/caption?max_tokens=1", init);
    return answer.headers.get("etag");
  };
  const tags = [
    await tagOf("generate", body, png),
    await tagOf("generate", body, { accept: "image/jpeg" }),
    await tagOf("generate", { ...body, prompt: "a cat" }, png),
    await tagOf("generate", { ...body, "guidance_scale": 1 }, png),
    await tagOf("generate", { ...body, metadata: false }, png),
    await tagOf("detokenize", { grid: { codes: [[1, 2]] } }, png),
    await tagOf("detokenize", { grid: { codes: [[1], [2]] } }, png),
    await raw(Uint8Array.of(1, 0, 2, 0), "12"),
    await raw(Uint8Array.of(1, 0, 2, 0), "21"),
    await raw(Uint8Array.of(1, 0, 3, 0), "12"),
  ];
  strictEqual(new Set(tags).size, tags.length);
});

Deno.test("an entity tag is independent of field order and of explicit defaults", async () => {
  const one = { prompt: "a fox", height: 16, width: 16, temperature: 0 };
  const other = { width: 16, temperature: 0, height: 16, prompt: "a fox" };
  const tag = await tagOf("generate", one);
  strictEqual(await tagOf("generate", other), tag);
  strictEqual(await tagOf("generate", { ...one, n: 1 }), tag);
});

Deno.test("an entity tag depends on the files of the model", async () => {
  using folder = temporaryFolder();
  for (const name of ["emu3-tiny", "emu3-tiny-visiontokenizer"]) {
    const from = goldenPath(`checkpoints/${name}`);
    for await (const file of Deno.readDir(from)) {
      folder.write(
        `${name}/${file.name}`,
        await Deno.readFile(`${from}/${file.name}`),
      );
    }
  }
  const copy = `${folder.path}/emu3-tiny`;
  const tagOfCopy = async () => {
    await using other = await openTinyServer({
      functions: new Set(["tokenize"]),
      folders: { gen: copy, chat: copy, vision: undefined },
    });
    return await tagOf("tokenize", { text: "a fox" }, {}, other);
  };
  const before = await tagOfCopy();
  strictEqual(await tagOfCopy(), before);
  folder.write("emu3-tiny/LICENSE", "more");
  notStrictEqual(await tagOfCopy(), before);
});

Deno.test("If-Match matches strong tags only", async () => {
  const png = { accept: "image/png" };
  const tag = (await tagOf("detokenize", { grid }, png))!;
  const statusOf = async (name: string, body: unknown, matching: string) => {
    const answer = await ask(name, body, { ...png, "if-match": matching });
    await answer.body?.cancel();
    return answer.status;
  };
  strictEqual(await statusOf("detokenize", { grid }, `"other", ${tag}`), 200);
  strictEqual(await statusOf("detokenize", { grid }, '"other"'), 412);
  strictEqual(await statusOf("detokenize", { grid }, `W/${tag}`), 412);
  // No answer is stored, so that no tag matches.
  strictEqual(await statusOf("detokenize", { grid }, "*"), 412);
  strictEqual(await statusOf("generate", small, tag), 412);
});
