/**
 * The laws of the request-body reader: pace, limits and shares.
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { Hono } from "hono";
import type { AppEnv } from "../../../../functions/http/context.ts";
import { Drain } from "../../../../functions/middleware/drain.ts";
import {
  countBytes,
  keptBody,
  PACE,
  readBodies,
  readWhole,
} from "../../../../functions/http/connection/request_body.ts";
import { problemFrom } from "../../../../functions/http/errors/problem.ts";
import {
  BodyTooLargeError,
  BodyTooSlowError,
  InterruptedError,
} from "../../../../functions/http/errors/errors.ts";
import { until } from "../../../support/until.ts";

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://localhost/", { method: "POST", body, headers });
}

function stream(parts: readonly Uint8Array<ArrayBuffer>[]): ReadableStream {
  return ReadableStream.from(parts);
}

/** Returns an application that reads bodies; a header names the caller. */
function app(
  handler: (request: Request) => Promise<Response> | Response,
  { callerBytes = 1000, drain = new Drain() } = {},
): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("caller", c.req.header("caller") ?? "");
    await next();
  });
  app.use(readBodies({ maxBytes: 1000, callerBytes }, drain));
  app.post("/", (c) => handler(c.req.raw));
  app.onError((error, c) => {
    const problem = problemFrom(error, {
      requestId: "id",
      path: "/",
      pageBase: "",
      clientGone: false,
    });
    return c.json(problem, problem.status);
  });
  return app;
}

Deno.test("readWhole() joins parts of any sizes", async () => {
  const anyParts = fc.array(fc.uint8Array({ maxLength: 50 }));
  await fc.assert(fc.asyncProperty(anyParts, async (parts) => {
    const bytes = parts.flatMap((part) => [...part]);
    const copies = parts.map((part) => new Uint8Array(part));
    for (const stated of [undefined, bytes.length]) {
      const headers = stated === undefined
        ? {}
        : { "content-length": `${stated}` };
      const request = post(stream(copies), headers);
      deepStrictEqual([...await readWhole(request, 5000, PACE)], bytes);
    }
  }));
});

Deno.test("readWhole() reads a body of any length up to the limit", async () => {
  const taken: number[] = [];
  const part = () => new Uint8Array(300);
  const take = (bytes: number) => void taken.push(bytes);
  const whole = stream([part(), part(), part(), part()]);
  await rejects(
    readWhole(post(whole), 1000, PACE, { take }),
    BodyTooLargeError,
  );
  deepStrictEqual(taken, [300, 300, 300]);
});

Deno.test("readWhole() aborts a body that is too slow in any window, also after a fast start", async () => {
  // A window's bytes arrive at once, then one byte and no end.
  const pace = { windowMs: 20, bytesPerSecond: 50_000 };
  const fast = new ReadableStream({
    start: (controller) => {
      controller.enqueue(new Uint8Array(100_000));
      controller.enqueue(new Uint8Array(1));
    },
  });
  await rejects(readWhole(post(fast), 1e6, pace), BodyTooSlowError);
});

Deno.test("readBodies() keeps the body for all readers", async () => {
  const echo = app((request) => {
    strictEqual(keptBody(request)?.length, 4);
    return new Response(keptBody(request));
  });
  const answer = await echo.request(post("body"));
  strictEqual(await answer.text(), "body");
});

Deno.test("readBodies() reserves a share of all bodies for other callers", async () => {
  const go = Promise.withResolvers<void>();
  let inside = 0;
  const slow = app(async () => {
    inside++;
    await go.promise;
    return new Response("ok");
  });
  const send = async (caller: string) =>
    await slow.request(post("x".repeat(300), { caller }));
  const greedy = ["a", "a", "a", "a", "a"].map(send);
  const refused = await Promise.any(greedy);
  strictEqual(refused.status, 503);
  ok(Number((await refused.json()).error.code === "overloaded"));
  const other = send("b");
  await until(() => inside >= 4);
  go.resolve();
  strictEqual((await other).status, 200);
  const statuses = (await Promise.all(greedy)).map(({ status }) => status);
  deepStrictEqual(statuses.sort(), [200, 200, 200, 503, 503]);
  // All of it is released.
  strictEqual((await send("a")).status, 200);
});

Deno.test("countBytes() counts decompressed bytes", async () => {
  const unpack = app((request) => {
    for (let i = 0; i < 10; i++) countBytes(request, 300);
    return new Response("ok");
  });
  strictEqual((await unpack.request(post("x"))).status, 503);
  const modest = app((request) => {
    countBytes(request, 900);
    return new Response("ok");
  });
  for (let i = 0; i < 3; i++) {
    strictEqual((await modest.request(post("x"))).status, 200);
  }
});

Deno.test("readBodies() interrupts unfinished bodies when the server stops", async () => {
  const drain = new Drain();
  const reached = app(() => new Response("reached"), { drain });
  const answer = reached.request(post(new ReadableStream()));
  while (drain.works.length === 0) await Promise.resolve();
  for (const work of drain.works) work.interrupt();
  const problem = await (await answer).json();
  strictEqual(
    problem.detail,
    new InterruptedError(undefined, undefined).message,
  );
  strictEqual(drain.works.length, 0);
});
