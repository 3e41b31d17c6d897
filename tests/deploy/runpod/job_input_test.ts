import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  JobInputError,
  type JobRequest,
  parseJobInput,
} from "../../../deploy/runpod/job_input.ts";
import { InvalidFieldsError } from "../../../functions/http/errors/errors.ts";
import { jobServer } from "../../../functions/runpod/start.ts";

const server = jobServer(() => Promise.resolve(new Response()), "");

function parse(input: unknown): JobRequest {
  return parseJobInput(input, server);
}

/** Returns the location of a fault; throws errors of other kinds. */
function pointerOf(error: unknown): string {
  if (error instanceof JobInputError) return error.pointer;
  if (error instanceof InvalidFieldsError) return error.fields[0]!.pointer;
  throw error;
}

/** Returns the request of an input, without the common fields. */
function essence(input: unknown): unknown {
  const { method, path, body, streams } = parse(input);
  return { method, path, body, streams };
}

const picture = { prompt: "a fox", seed: 3 };

Deno.test("parseJobInput() parses all forms of an input", () => {
  const forms: readonly (readonly [unknown, string, string, unknown])[] = [
    [picture, "POST", "/v1/generate", picture],
    [{ function: "generate", ...picture }, "POST", "/v1/generate", picture],
    [{ image: "x" }, "POST", "/v1/caption", { image: "x" }],
    [{ grid: {} }, "POST", "/v1/detokenize", { grid: {} }],
    [{ function: "score", a: 1 }, "POST", "/v1/score", { a: 1 }],
    [
      { route: "/v1/tokenize", method: "post", body: { image: "x" } },
      "POST",
      "/v1/tokenize",
      { image: "x" },
    ],
    [{ endpoint: "health" }, "GET", "/health", undefined],
    [{ route: "/v1/models?a=1" }, "GET", "/v1/models?a=1", undefined],
    [
      { openai_route: "/v1/images/generations", openai_input: picture },
      "POST",
      "/v1/images/generations",
      picture,
    ],
    [
      { openai_route: "/v1/models", openai_input: {} },
      "GET",
      "/v1/models",
      undefined,
    ],
  ];
  for (const [input, method, path, body] of forms) {
    deepStrictEqual(essence(input), { method, path, body, streams: false });
  }
});

Deno.test("parseJobInput() selects the format of the result by the input", () => {
  const job = parse({ ...picture, stream: true, accept: "image/png" });
  strictEqual(job.streams, true);
  deepStrictEqual(job.headers, {
    accept: "image/png",
    "content-type": "application/json",
  });
  deepStrictEqual(job.body, picture);
  const routed = parse({
    route: "/v1/caption",
    body: {},
    headers: { Accept: "text/plain" },
    stream: true,
  });
  strictEqual(routed.headers["accept"], "text/plain");
  strictEqual(routed.streams, true);
});

Deno.test("parseJobInput() leaves the stream of a chat in OpenAI's format", () => {
  const { path, body, streams } = parse({ messages: [], stream: true });
  strictEqual(path, "/v1/chat/completions");
  deepStrictEqual(body, { messages: [], stream: true });
  strictEqual(streams, false);
});

Deno.test("parseJobInput() counts the rows that a job may take", () => {
  strictEqual(parse(picture).rows, 2);
  strictEqual(parse({ ...picture, n: 3 }).rows, 6);
  strictEqual(parse({ ...picture, n: 3, guidance_scale: 1 }).rows, 3);
  strictEqual(parse({ image: "x" }).rows, 1);
  for (const name of ["generations", "edits", "variations"]) {
    const route = `/v1/images/${name}`;
    strictEqual(parse({ route, body: { ...picture, n: 2 } }).rows, 4);
  }
});

Deno.test("parseJobInput() names the mistake of an input", () => {
  const refused: readonly (readonly [unknown, string])[] = [
    [undefined, "/input"],
    ["a fox", "/input"],
    [{}, "/input"],
    [{ function: "paint" }, "/input/function"],
    [{ ...picture, accept: 1 }, "/input/accept"],
    [{ ...picture, stream: "yes" }, "/input/stream"],
    [{ route: 3 }, "/input/route"],
    [{ route: "//elsewhere/x" }, "/input/route"],
    [{ route: "https://elsewhere/x" }, "/input/route"],
    [{ route: "/v1/../x" }, "/input/route"],
    [{ route: "/v1/x", method: "PATCH" }, "/input/method"],
    [{ route: "/v1/x", method: "GET", body: {} }, "/input/body"],
    [{ route: "/v1/x", headers: 3 }, "/input/headers"],
    [{ route: "/v1/x", headers: { cookie: "a" } }, "/input/headers/cookie"],
    [{ route: "/v1/x", headers: { accept: "a\nb" } }, "/input/headers/accept"],
    [{ route: "/v1/x", "a/b": 1 }, "/input/a~1b"],
    [{ openai_input: {} }, "/input/openai_route"],
    [{ openai_route: "/v1/x", openai_input: 1 }, "/input/openai_input"],
    [{ openai_route: "/v1/x", prompt: "" }, "/input/prompt"],
  ];
  for (const [input, pointer] of refused) {
    throws(() => parse(input), (error: unknown) => {
      strictEqual(pointerOf(error), pointer, JSON.stringify(input));
      return true;
    });
  }
});

Deno.test("parseJobInput() parses or refuses any input", () => {
  const names = fc.constantFrom(
    "route",
    "endpoint",
    "openai_route",
    "openai_input",
    "function",
    "prompt",
    "messages",
    "headers",
    "method",
    "stream",
    "n",
  );
  const input = fc.dictionary(fc.oneof(names, fc.string()), fc.jsonValue());
  fc.assert(fc.property(input, (input) => {
    try {
      const { path, method, headers } = parse(input);
      const url = new URL(path, "http://job.invalid");
      strictEqual(url.origin, "http://job.invalid");
      new Request(url, { method, headers });
    } catch (error) {
      pointerOf(error);
    }
  }));
});
