/**
 * The `POST /v1/score` route, and adapters, which are unknown on every route.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { fakeServices, runUntilAborted } from "../support/fake_models.ts";
import { createApp } from "../../functions/app.ts";
import { goldenJson, goldenPath } from "../support/golden.ts";
import {
  appOptions,
  bytes,
  json,
  openTinyServer,
} from "../support/tiny_server.ts";

interface PictureCase {
  readonly name: string;
  readonly prompt: string;
  readonly guidance: number;
  readonly negative: string | null;
  readonly codes: number[][];
}

const pictures = goldenJson<{ cases: PictureCase[] }>("generate.json");
const scores = goldenJson<{
  pictures: { guided: number[]; unguided: number[] }[];
}>("score.json");
const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const [golden] = pictures.cases;
const codes = golden!.codes;
const picture = Deno.readFileSync(goldenPath("chat/c0.png"));

/** Tolerance of a sum over a picture, computed by other kernels. */
const SUM_TOLERANCE = 2e-3;

function post(
  init: RequestInit,
  { app } = server,
  query = "",
): Promise<Response> {
  return Promise.resolve(app.request(`/v1/score${query}`, init));
}

function sum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

Deno.test("POST /v1/score returns the reference's likelihood of a picture, with and without guidance", async () => {
  const [{ guided, unguided }] = scores.pictures as [
    { guided: number[]; unguided: number[] },
  ];
  const body = {
    prompt: golden!.prompt,
    grid: { codes },
    rows: true,
    "negative_prompt": golden!.negative!,
  };
  for (
    const [scale, rows] of [[golden!.guidance, guided], [1, unguided], [
      undefined,
      unguided,
    ]] as const
  ) {
    const answer = await post(json({ ...body, "guidance_scale": scale }));
    strictEqual(answer.status, 200);
    match(answer.headers.get("server-timing")!, /^queue;dur=/);
    const { timings, usage, ...said } = await answer.json();
    deepStrictEqual(Object.keys(said), [
      "model",
      "logprob",
      "tokens",
      "logprob_per_token",
      "rows",
    ]);
    strictEqual(said.model, "emu3-tiny");
    strictEqual(said.tokens, 64);
    strictEqual(said.logprob_per_token, said.logprob / 64);
    ok(Math.abs(said.logprob - sum(rows)) < SUM_TOLERANCE);
    ok(Math.abs(sum(said.rows) - said.logprob) < 1e-9);
    for (const [y, row] of rows.entries()) {
      ok(Math.abs(said.rows[y] - row) < SUM_TOLERANCE);
    }
    ok(usage.forwards < 8, `${usage.forwards} forwards`);
    strictEqual(usage.image_tokens, 8 * 9 - 1);
    deepStrictEqual(
      Object.keys(timings),
      ["queue_s", "prefill_s", "decode_s", "vision_s"],
    );
  }
});

Deno.test("POST /v1/score returns the log probabilities that generate reports", async () => {
  const asked = { prompt: "a fox", "guidance_scale": 2 };
  const drawn = await (await server.app.request(
    "/v1/generate",
    json({ ...asked, height: 24, width: 32, seed: 4, logprobs: 1 }),
  )).json();
  const [{ grid, rows }] = drawn.images;
  const scored = rows.map(({ logprobs }: { logprobs: { logprob: number }[] }) =>
    sum(logprobs.map(({ logprob }) => logprob))
  );
  const said = await (await post(json({ ...asked, grid, rows: true }))).json();
  strictEqual(said.rows.length, 3);
  for (const [y, row] of said.rows.entries()) {
    ok(Math.abs(row - scored[y]) < SUM_TOLERANCE);
  }
});

Deno.test("POST /v1/score returns for each code of a picture what generate reports", async () => {
  const asked = { prompt: "a fox", "guidance_scale": 2, logprobs: 3 };
  const drawn = await (await server.app.request(
    "/v1/generate",
    json({ ...asked, height: 24, width: 32, seed: 4 }),
  )).json();
  const [{ grid, rows }] = drawn.images;
  const { logprobs, logprob } = await (await post(json({ ...asked, grid })))
    .json();
  strictEqual(logprobs.length, 3);
  type Told = { logprob: number; entropy: number; top: { code: number }[] };
  for (const [y, row] of logprobs.entries()) {
    strictEqual(row.length, 4);
    for (const [x, told] of (row as Told[]).entries()) {
      const noted: Told = rows[y].logprobs[x];
      ok(Math.abs(told.logprob - noted.logprob) < SUM_TOLERANCE);
      ok(Math.abs(told.entropy - noted.entropy) < SUM_TOLERANCE);
      deepStrictEqual(
        told.top.map(({ code }) => code),
        noted.top.map(({ code }) => code),
      );
    }
  }
  const all = (logprobs as Told[][]).flat().map(({ logprob }) => logprob);
  ok(Math.abs(sum(all) - logprob) < 1e-9);
});

Deno.test("POST /v1/score scores an answer by its tokens and EOS", async () => {
  const text = "a red fox";
  const image = picture.toBase64();
  const said = await (await post(json({ image, text }))).json();
  const { count } = await (await server.app.request(
    "/v1/tokenize",
    json({ text }),
  )).json();
  strictEqual(said.tokens, count + 1);
  ok(said.logprob < 0);
  strictEqual("rows" in said, false);
  const question = "Please describe the image";
  const same = await (await post(json({ image, text, question }))).json();
  strictEqual(same.logprob, said.logprob);
  const other = await (await post(json({ image, text, question: "Why?" })))
    .json();
  ok(other.logprob !== said.logprob);
});

Deno.test("POST /v1/score accepts a picture in every form", async () => {
  const form = new FormData();
  form.set("image", new File([picture], "a.png", { type: "image/png" }));
  form.set("prompt", "a fox");
  form.set("guidance_scale", "2");
  const tokenized = (accept: string) =>
    server.app.request(
      "/v1/tokenize",
      bytes(picture, "image/png", { accept }),
    );
  const { grid } = await (await tokenized("application/json")).json();
  const npy = await (await tokenized("application/x-npy")).bytes();
  const query = "?prompt=a%20fox&guidance_scale=2";
  const fields = { prompt: "a fox", "guidance_scale": 2 };
  const answers = [
    await post(json({ ...fields, image: picture.toBase64() })),
    await post(json({ ...fields, grid })),
    await post({ method: "POST", body: form }),
    await post(bytes(picture, "image/png"), server, query),
    await post(bytes(npy, "application/x-npy"), server, query),
  ];
  const said = await Promise.all(answers.map((answer) => answer.json()));
  deepStrictEqual(
    said.map(({ logprob }) => logprob),
    said.map(() => said[0].logprob),
  );
});

const grid = { codes: [[1, 2], [3, 4]] };
const refusals: readonly [string, unknown, number, string][] = [
  ["neither prompt nor text", { grid }, 422, ""],
  ["prompt and text", { grid, prompt: "", text: "" }, 422, ""],
  ["no picture", { prompt: "" }, 422, "/image"],
  [
    "a question of a prompt",
    { grid, prompt: "", question: "" },
    422,
    "/question",
  ],
  [
    "several pictures of a prompt",
    { grids: [grid], prompt: "" },
    422,
    "/grids",
  ],
  [
    "guidance of an answer",
    { grid, text: "", "guidance_scale": 2 },
    422,
    "/guidance_scale",
  ],
  ["rows of an answer", { grid, text: "", rows: true }, 422, "/rows"],
  ["logprobs of an answer", { grid, text: "", logprobs: 1 }, 422, "/logprobs"],
  ["nine rivals", { grid, prompt: "", logprobs: 9 }, 422, "/logprobs"],
  ["a temperature", { grid, prompt: "", temperature: 1 }, 422, "/temperature"],
  [
    "guidance below 1",
    { grid, prompt: "", "guidance_scale": 0.5 },
    422,
    "/guidance_scale",
  ],
  [
    "a code beyond the codebook",
    { grid: { codes: [[512]] }, prompt: "" },
    422,
    "/grid/codes/0/0",
  ],
];
for (const [name, body, status, pointer] of refusals) {
  Deno.test(`POST /v1/score refuses ${name}`, async () => {
    const answer = await post(json(body));
    strictEqual(answer.status, status);
    const { errors } = await answer.json();
    strictEqual(errors[0].pointer, pointer);
  });
}

Deno.test("POST /v1/score refuses two files of one prompt", async () => {
  const form = new FormData();
  for (const name of ["a.png", "b.png"]) {
    form.append("image", new File([picture], name, { type: "image/png" }));
  }
  form.set("prompt", "a fox");
  const answer = await post({ method: "POST", body: form });
  strictEqual(answer.status, 422);
  strictEqual((await answer.json()).errors[0].pointer, "/image");
});

Deno.test("POST /v1/score scores the outputs of the server's functions", async () => {
  const services = fakeServices(runUntilAborted);
  const appWith = (...functions: ("generate" | "caption" | "tokenize")[]) =>
    createApp(services, appOptions({ functions: new Set(functions) }).options);
  const detailOf = async (answer: Response | Promise<Response>) => {
    const { status, detail } = await (await answer).json();
    return [status, detail];
  };
  const picture = json({ grid, prompt: "" });
  const answer = json({ grid, text: "" });
  deepStrictEqual(
    await detailOf(appWith("caption").request("/v1/score", picture)),
    [
      404,
      "Cannot score by prompt: generate is disabled; add it to FUNCTIONS and restart the server",
    ],
  );
  deepStrictEqual(
    await detailOf(appWith("generate").request("/v1/score", answer)),
    [
      404,
      "Cannot score by text: caption is disabled; add it to FUNCTIONS and restart the server",
    ],
  );
  deepStrictEqual(
    await detailOf(appWith("tokenize").request("/v1/score", answer)),
    [
      404,
      "Cannot serve this route: generate and caption are disabled; add the function to FUNCTIONS and restart the server",
    ],
  );
});

Deno.test("POST /v1/score accepts pixels if only generate is served", async () => {
  await using drawing = await openTinyServer({
    functions: new Set(["generate"]),
  });
  const body = json({ prompt: "a fox", image: picture.toBase64() });
  const [here, there] = await Promise.all([post(body), post(body, drawing)]);
  const { logprob } = await here!.json();
  strictEqual((await there!.json()).logprob, logprob);
});

Deno.test("POST /v1/score can be a job", async () => {
  const body = { grid, prompt: "a fox" };
  const { logprob } = await (await post(json(body))).json();
  const job = await post(json(body, { prefer: "wait=60" }));
  strictEqual(job.headers.get("preference-applied"), "wait=60");
  strictEqual((await job.json()).logprob, logprob);
});

Deno.test("POST /v1/score ends the run when its client leaves", async () => {
  const leave = new AbortController();
  const seen = Promise.withResolvers<AbortSignal>();
  const services = fakeServices((request, signal) => {
    seen.resolve(signal);
    return runUntilAborted(request, signal);
  });
  const { options, trace } = appOptions();
  const app = createApp(services, options);
  const request = new Request("http://localhost/v1/score", {
    ...json({ grid, prompt: "" }),
    signal: leave.signal,
  });
  const answer = app.request(request);
  const signal = await seen.promise;
  strictEqual(signal.aborted, false);
  leave.abort();
  await answer;
  strictEqual(signal.aborted, true);
  strictEqual(trace.access[0]!.status, 499);
});

Deno.test("App answers 404 with the name of an adapter, in every field for one", async () => {
  const adapter = "watercolor";
  const bodies: readonly [string, unknown][] = [
    ["generate", { prompt: "a fox", adapter }],
    ["caption", { grid, adapter }],
    ["score", { grid, prompt: "a fox", adapter }],
    ["score", { grid, text: "a fox", adapter }],
    ["tokenize", { prompt: { prompt: "a fox", adapter } }],
  ];
  for (const [name, body] of bodies) {
    const answer = await server.app.request(`/v1/${name}`, json(body));
    strictEqual(answer.status, 404, name);
    const { detail, error } = await answer.json();
    strictEqual(error.code, "unknown-adapter");
    strictEqual(
      detail,
      'Cannot find adapter "watercolor": no adapters are loaded',
    );
  }
});
