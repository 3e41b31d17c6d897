import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { json } from "../../support/tiny_server.ts";
import { openWorkflowApp } from "../../support/workflow_app.ts";

const REMIX = "/v1/workflows/remix";
const ADDRESS = "https://example.org/cat.png";

Deno.test("remix takes the address of a picture, which a step has fetched", async () => {
  await using server = openWorkflowApp();
  const body = json({ image_url: ADDRESS }, { prefer: "respond-async" });
  strictEqual((await server.app.request(REMIX, body)).status, 202);
  deepStrictEqual(server.ingress.only().input, { image_url: ADDRESS, keep: 0 });
});

Deno.test("remix refuses an address that is not https, and no picture", async () => {
  await using server = openWorkflowApp();
  for (
    const body of [
      { image_url: "http://example.org/cat.png" },
      {},
    ]
  ) {
    strictEqual((await server.app.request(REMIX, json(body))).status, 422);
  }
});
