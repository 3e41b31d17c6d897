import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createApp } from "../../../functions/app.ts";
import {
  INTERNAL_CODES,
  isProblemCode,
  PROBLEMS,
} from "../../../functions/http/errors/problems.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { appOptions, json } from "../../support/tiny_server.ts";

const ROOT = new URL("../../..", import.meta.url);
const app = createApp(fakeServices(runAtOnce), appOptions().options);
const get = (path: string, accept: string) =>
  app.request(path, { headers: { accept } });

Deno.test("PROBLEMS has every error code", () => {
  const thrown = new Set(
    ["functions/", "lib/"].flatMap((folder) => [...sources(folder)])
      .flatMap((path) => [...errorCodes(path)]),
  );
  ok(thrown.has("overloaded") && thrown.has("invalid-fields"));
  const unknown = [...thrown].filter((code) =>
    !isProblemCode(code) && !INTERNAL_CODES.has(code)
  );
  deepStrictEqual(unknown, []);
});

for (const [code, kind] of Object.entries(PROBLEMS)) {
  Deno.test(`/problems/${code} shows its meaning and remedy`, async () => {
    const path = `/problems/${code}`;
    deepStrictEqual(
      await (await get(path, "application/json")).json(),
      { type: path, code, ...kind },
    );
    const page = await get(path, "text/html,*/*;q=0.8");
    match(page.headers.get("content-type")!, /^text\/html/);
    const text = await (await get(path, "text/markdown")).text();
    for (const shown of [unescaped(await page.text()), text]) {
      ok(shown.includes(kind.title) && shown.includes(code));
      ok(shown.includes(kind.meaning) && shown.includes(kind.remedy));
    }
  });
}

Deno.test("/problems lists every problem type once, with a link to its page", async () => {
  const codes = Object.keys(PROBLEMS);
  const { data } = await (await app.request("/problems")).json();
  deepStrictEqual(data.map(({ code }: { code: string }) => code), codes);
  const html = await (await get("/problems", "text/html")).text();
  const links = [...html.matchAll(/href="\/problems\/([\w-]+)"/g)];
  deepStrictEqual(links.map(([, code]) => code), codes);
  const text = await (await get("/problems", "text/markdown")).text();
  strictEqual(text.match(/^# /gm)!.length, codes.length);
});

Deno.test("problemFrom() returns the URL of the problem's page as its type", async () => {
  const refused = await app.request("/v1/generate", json({}));
  const { type, title } = await refused.json();
  const page = await app.request(type);
  strictEqual((await page.json()).title, title);
});

Deno.test("/problems/{code} answers an unknown code with a problem", async () => {
  for (const path of ["/problems/nothing", "/problems/toString"]) {
    const answer = await app.request(path);
    strictEqual(answer.status, 404);
    strictEqual((await answer.json()).type, "/problems/not-found");
  }
});

function unescaped(html: string): string {
  return html.replaceAll("&#39;", "'").replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
}

/** Yields the first arguments of `super` in error classes. */
function* errorCodes(path: string): Generator<string> {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  const classes = text.split(/^export class /m).slice(1)
    .filter((body) => /^\w+ extends \w*Error\b/.test(body));
  for (const body of classes) {
    const code = /\bsuper\(\s*"([a-z0-9-]+)"/.exec(body)?.[1];
    if (code !== undefined) yield code;
  }
}

function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) yield* sources(`${path}/`);
    else if (path.endsWith(".ts")) yield path;
  }
}

Deno.test("problemFrom() returns an absolute type if PUBLIC_URL is set, equal to that of the page", async () => {
  const { options } = appOptions({ publicUrl: "https://emu3.example/api" });
  const app = createApp(fakeServices(runAtOnce), options);
  const type = "https://emu3.example/api/problems/not-found";
  strictEqual((await (await app.request("/nothing")).json()).type, type);
  const page = await (await app.request("/problems/not-found")).json();
  strictEqual(page.type, type);
  const { data } = await (await app.request("/problems")).json();
  ok(data.some((kind: { type: string }) => kind.type === type));
});
