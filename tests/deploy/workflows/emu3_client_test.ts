import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  type Attempt,
  Emu3Client,
  readAnswer,
} from "../../../deploy/workflows/emu3/emu3_client.ts";
import {
  RefusedError,
  UnansweredError,
} from "../../../deploy/workflows/emu3/emu3_errors.ts";
import { emulateEmu3 } from "./emulated_emu3.ts";

const { signal } = new AbortController();

/** Sends a request that the server answers with `answer`. */
async function send(answer: () => Response): Promise<Attempt> {
  await using server = emulateEmu3({ intercept: answer });
  const client = new Emu3Client({ url: server.url, apiKey: undefined });
  return await client.send({ path: "/v1/score", body: {} }, signal);
}

function refusal(
  status: number,
  problem: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): () => Response {
  return () => Response.json({ status, ...problem }, { status, headers });
}

Deno.test("send() sends the key of the server, the key of the step and the body", async () => {
  let seen: Headers | undefined;
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      seen = request.headers;
      return Response.json({ text: "a" });
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const client = new Emu3Client({ url, apiKey: "secret" });
  const attempt = await client.send(
    { path: "/v1/caption", body: {}, idempotencyKey: "imagine/1/caption" },
    signal,
  );
  strictEqual(attempt.type, "done");
  if (attempt.type !== "done") return;
  deepStrictEqual(await readAnswer(attempt.response, signal), { text: "a" });
  strictEqual(seen?.get("authorization"), "Bearer secret");
  strictEqual(seen?.get("idempotency-key"), "imagine/1/caption");
});

Deno.test("send() waits as long as Retry-After says", async () => {
  const headers = { "retry-after": "7" };
  for (
    const answer of [
      refusal(429, {}, headers),
      refusal(503, {}, headers),
      refusal(409, { retryable: true }, headers),
    ]
  ) {
    deepStrictEqual(await send(answer), { type: "wait", seconds: 7 });
  }
});

Deno.test("send() waits a moment without Retry-After, and an hour at most", async () => {
  const without = await send(refusal(503));
  deepStrictEqual(without, { type: "wait", seconds: 2 });
  const long = await send(refusal(429, {}, { "retry-after": "999999" }));
  deepStrictEqual(long, { type: "wait", seconds: 3600 });
  const none = await send(refusal(429, {}, { "retry-after": "0" }));
  deepStrictEqual(none, { type: "wait", seconds: 1 });
});

Deno.test("send() refuses what would be refused again, with its document", async () => {
  for (
    const [status, problem] of [
      [400, {}],
      [409, {}],
      [422, { detail: "/prompt: is required" }],
      [501, {}],
      [503, { retryable: false }],
    ] as const
  ) {
    await rejects(
      send(refusal(status, problem)),
      (error) => {
        if (!(error instanceof RefusedError)) return false;
        deepStrictEqual(error.problem, { status, ...problem });
        return error.status === status;
      },
    );
  }
});

Deno.test("send() makes a document of a refusal that has none", async () => {
  const page = () => new Response("<h1>No</h1>", { status: 403 });
  await rejects(send(page), (error) => {
    if (!(error instanceof RefusedError)) return false;
    deepStrictEqual(error.problem, {
      status: 403,
      title: "HTTP 403",
      detail: "<h1>No</h1>",
    });
    return true;
  });
});

Deno.test("send() has no answer from a server that fails, or is away", async () => {
  await rejects(send(refusal(500)), UnansweredError);
  await rejects(send(refusal(502)), UnansweredError);
  const away = new Emu3Client({
    url: "http://127.0.0.1:1",
    apiKey: undefined,
  });
  await rejects(away.send({ path: "/v1/score" }, signal), UnansweredError);
});

Deno.test("send() throws the reason of an abort", async () => {
  await using server = emulateEmu3({ intercept: () => new Promise(() => {}) });
  const client = new Emu3Client({ url: server.url, apiKey: undefined });
  const abort = new AbortController();
  const sent = client.send({ path: "/v1/score" }, abort.signal);
  abort.abort(new Error("canceled"));
  await rejects(sent, /canceled/);
});

Deno.test("readAnswer() has no answer in a body that is cut off", async () => {
  await rejects(
    readAnswer(new Response('{"text": '), signal),
    UnansweredError,
  );
});
