/** The laws of pictures of workflows: codes by name, and the index page. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Grid } from "../../../deploy/workflows/schema/codes.ts";
import { inPlaceCodec } from "../../../lib/image/picture_codec.ts";
import { NotReadyError } from "../../../functions/http/errors/errors.ts";
import { readHeader } from "../../../lib/image/header.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { json } from "../../support/tiny_server.ts";
import {
  describedWorkflows,
  openWorkflowApp,
  type WorkflowApp,
} from "../../support/workflow_app.ts";

const { check } = await describedWorkflows();

const HTML = { headers: { accept: "text/html" } };

/** Starts a workflow with codes, and returns its path. */
async function drawn(
  { app, ingress }: WorkflowApp,
  grids: Record<string, Grid>,
  { chain = "imagine", text = "a dot" } = {},
): Promise<string> {
  const headers = { prefer: "respond-async" };
  const body = chain === "album" ? { prompts: ["a"] } : { prompt: "a" };
  const answer = await app.request(
    `/v1/workflows/${chain}`,
    json(body, headers),
  );
  const workflow = ingress.only();
  workflow.grids = grids;
  workflow.status = {
    status: "running",
    steps: [
      { name: "look", status: "succeeded", text: "no picture" },
      ...Object.keys(grids).map((name) => ({
        name,
        status: "succeeded" as const,
        text,
        grid: name,
      })),
    ],
    progress: { done: 1, failed: 1, total: 5 },
  };
  return answer.headers.get("location")!;
}

const DRAW: Grid = { height: 2, width: 3, codes: [[1, 2, 3], [4, 5, 6]] };

Deno.test("?grid= answers with codes, or with their picture by Accept", async () => {
  await using server = openWorkflowApp();
  const path = `${await drawn(server, { draw: DRAW })}?grid=draw`;
  const codes = await server.app.request(path);
  deepStrictEqual(await codes.clone().json(), DRAW);
  await check("GET", path, codes);
  for (const accept of ["image/png", "image/jpeg", "image/webp"]) {
    const answer = await server.app.request(path, { headers: { accept } });
    strictEqual(answer.headers.get("content-type"), accept);
    strictEqual(answer.headers.get("vary"), "accept, authorization");
    const { height, width } = readHeader(await answer.clone().bytes());
    deepStrictEqual([height, width], [16, 24]);
    await check("GET", path, answer);
  }
});

Deno.test("codes that cannot be shown name the reason", async () => {
  await using server = openWorkflowApp();
  const path = await drawn(server, {
    other: { codes: [[99_999]] },
    ragged: { codes: [[1, 2], [3]] },
    wide: { codes: Array(200).fill(Array(200).fill(1)) },
  });
  const cases = [
    ["none", "image/png", 404],
    ["x".repeat(300), "application/json", 404],
    ["other", "image/png", 422],
    ["ragged", "image/png", 422],
    ["wide", "image/png", 413],
    ["wide", "text/html", 406],
  ] as const;
  for (const [name, accept, status] of cases) {
    const at = `${path}?grid=${name}`;
    const answer = await server.app.request(at, { headers: { accept } });
    strictEqual(answer.status, status, `${name} ${accept}`);
    await check("GET", at, answer);
  }
});

Deno.test("the index page shows each step, and thumbnails that keep its own policy", async () => {
  await using server = openWorkflowApp();
  const path = await drawn(server, { draw: DRAW }, {
    text: `<script>"a" & b</script>`,
  });
  const answer = await server.app.request(path, HTML);
  await check("GET", path, answer.clone());
  const page = await answer.text();
  match(page, /<h1>imagine<\/h1>/);
  match(page, /running: 1 of 5, 1 failed/);
  match(page, /no picture/);
  match(page, /&lt;script&gt;&quot;a&quot; &amp; b&lt;\/script&gt;/);
  ok(!page.includes("<script"));
  match(page, /<a href="\?grid=draw"><img src="data:image\/jpeg;base64,/);
  match(page, /height="16" width="24"/);
  const [, style] = /<style>([^]*)<\/style>/.exec(page)!;
  const hash = createHash("sha256").update(style!).digest("base64");
  const policy = answer.headers.get("content-security-policy")!;
  ok(policy.includes(`style-src 'sha256-${hash}'`), policy);
  match(policy, /^default-src 'none'; img-src data:;/);
});

Deno.test("thumbnails are at most 240 pixels long", async () => {
  const vision = fakeServices(runAtOnce).vision(undefined);
  const large = {
    ...vision,
    checkpoint: {
      name: "large",
      preprocessor: { minPixels: 64, maxPixels: 2 ** 20 },
    },
  };
  await using server = openWorkflowApp({}, { vision: () => large });
  const codes = Array(30).fill(Array(90).fill(1));
  const path = await drawn(server, { draw: { codes } });
  const page = await (await server.app.request(path, HTML)).text();
  match(page, /height="80" width="240"/);
});

Deno.test("a picture that cannot be shown leaves its place to its reason", async () => {
  await using server = openWorkflowApp();
  const path = await drawn(server, { bad: { codes: [[99_999]] }, draw: DRAW });
  const page = await (await server.app.request(path, HTML)).text();
  match(page, /bad, succeeded<\/small><br>Cannot use request: \/codes/);
  match(page, /<img /);
  match(page, /<\/html>\n$/);
});

Deno.test("the pictures of an album have their prompts and captions", async () => {
  await using server = openWorkflowApp();
  const path = await drawn(server, { "draw.0": DRAW, "draw.1": DRAW }, {
    chain: "album",
  });
  server.ingress.finish(server.ingress.only(), {
    output: {
      pictures: [
        { prompt: "a <b>", seed: 1, grid: "draw.0", caption: "red" },
        { prompt: "two", seed: 2, grid: "draw.1" },
        { prompt: "none", problem: { status: 422 } },
      ],
      done: 2,
      failed: 1,
    },
  });
  const page = await (await server.app.request(path, HTML)).text();
  match(page, /<br>a &lt;b&gt;: red</);
  match(page, /alt="two"/);
});

Deno.test("the page of a failed workflow shows its problem", async () => {
  await using server = openWorkflowApp();
  const path = await drawn(server, {});
  const workflow = server.ingress.only();
  workflow.status = {
    status: "failed",
    steps: [{ name: "draw", status: "failed" }],
    problem: { status: 422, detail: "draw: <too long>" },
  };
  server.ingress.finish(workflow, { code: 422, message: "draw" });
  const page = await (await server.app.request(path, HTML)).text();
  match(page, /failed: 0 of 1/);
  match(page, /<p role="alert">draw: &lt;too long&gt;<\/p>/);
});

Deno.test("the pictures of a page are decoded one at a time, as it is read", async () => {
  let decoded = 0;
  let atOnce = 0;
  const codec = {
    ...inPlaceCodec,
    encodeJpeg: async (...args: Parameters<typeof inPlaceCodec.encodeJpeg>) => {
      decoded++;
      strictEqual(++atOnce, 1);
      const bytes = await inPlaceCodec.encodeJpeg(...args);
      atOnce--;
      return bytes;
    },
  };
  await using server = openWorkflowApp({}, { codec });
  const names = Array.from({ length: 20 }, (_, i) => [`draw.${i}`, DRAW]);
  const path = await drawn(server, Object.fromEntries(names));
  const { body } = await server.app.request(path, HTML);
  const reader = body!.getReader();
  // The head, the step without a picture, and two pictures.
  for (let i = 0; i < 4; i++) await reader.read();
  strictEqual(decoded, 2);
  await reader.cancel();
  strictEqual(decoded, 2);
});

Deno.test("a page waits for the vision tokenizer; HEAD decodes nothing", async () => {
  const refused = () => {
    throw new NotReadyError("Cannot decode: it is loading", 3);
  };
  await using loading = openWorkflowApp({}, { vision: refused });
  const path = await drawn(loading, { draw: DRAW });
  const answer = await loading.app.request(path, HTML);
  strictEqual(answer.status, 503);
  await using server = openWorkflowApp();
  const other = await drawn(server, { draw: DRAW });
  const head = await server.app.request(other, { method: "HEAD", ...HTML });
  strictEqual(await head.text(), "");
  ok(!server.ingress.requests.some(({ line }) => line.endsWith("/grids")));
});
