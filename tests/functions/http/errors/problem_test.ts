import { deepStrictEqual, ok } from "node:assert/strict";
import { json, openTinyServer } from "../../../support/tiny_server.ts";

Deno.test("problemFrom() suggests a smaller picture for one that exceeds memory", async () => {
  await using small = await openTinyServer({
    functions: new Set(["generate"]),
    // 4096 tokens in fp32: those of a guided picture of 40 × 40, not of 50 × 50.
    cacheBytes: 2 ** 21,
    cacheDtype: "float32",
  });
  const sized = (side: number) =>
    json({ prompt: "a", height: side, width: side });
  const answer = await small.app.request("/v1/generate", sized(400));
  const { status, type, detail, errors } = await answer.json();
  deepStrictEqual([status, type], [422, "/problems/cache-too-small"]);
  ok(/smaller image.*KV_BYTES/.test(detail) && !/context/.test(detail));
  deepStrictEqual(errors, [{ pointer: "", detail }]);
});

Deno.test("problemFrom() does not mention the context for a question that exceeds memory", async () => {
  await using small = await openTinyServer({
    functions: new Set(["caption"]),
    cacheBytes: 2 ** 20,
    cacheDtype: "float32",
  });
  const answer = await small.app.request(
    "/v1/caption",
    json({ grid: { codes: [[1]] }, question: "a b ".repeat(2000) }),
  );
  const { status, type, detail } = await answer.json();
  deepStrictEqual([status, type], [422, "/problems/cache-too-small"]);
  ok(/holds 2048;/.test(detail) && !/context/.test(detail), detail);
});
