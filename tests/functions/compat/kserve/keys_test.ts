import { strictEqual } from "node:assert/strict";
import { bytes, openTinyServer } from "../../../support/tiny_server.ts";

const { app, ...server } = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

Deno.test("POST infer supports Idempotency-Key with a compressed body", async () => {
  const body = JSON.stringify({
    inputs: [{ name: "text", datatype: "BYTES", shape: [1], data: ["a fox"] }],
  });
  const gzip = new CompressionStream("gzip");
  const packed = await new Response(new Blob([body]).stream().pipeThrough(gzip))
    .bytes();
  const init = bytes(packed, "application/json", {
    "content-encoding": "gzip",
    "idempotency-key": "one",
  });
  const ask = () => app.request("/v2/models/tokenize/infer", init);
  const first = await ask();
  strictEqual(first.status, 200);
  const text = await first.text();
  const again = await ask();
  strictEqual(again.headers.get("idempotency-replayed"), "true");
  strictEqual(await again.text(), text);
});
