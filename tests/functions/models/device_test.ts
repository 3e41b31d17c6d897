import { match, rejects, strictEqual } from "node:assert/strict";
import { openDevice } from "../../../functions/models/device.ts";
import { RuntimeError } from "../../../lib/errors.ts";
import { openTinyServer, tinyOptions } from "../../support/tiny_server.ts";

Deno.test("openDevice() refuses a precision that the device does not compute in", async () => {
  await rejects(
    openDevice(tinyOptions({ precision: "bf16" })),
    /Cannot use bf16 on cpu: supported formats are fp32, int8 or int4/,
  );
});

Deno.test("openDevice() names a folder without ONNX Runtime", async () => {
  for (const runtimeFolder of ["/no/such/folder", "/"]) {
    await rejects(openDevice(tinyOptions({ runtimeFolder })), (error) => {
      match(String(error), new RegExp(`ONNX Runtime in "${runtimeFolder}"`));
      return error instanceof RuntimeError;
    });
  }
});

Deno.test("GET /v1/models names the device and the precision", async () => {
  await using server = await openTinyServer();
  const { data } = await (await server.app.request("/v1/models")).json();
  strictEqual(data[0].device, "cpu");
  strictEqual(data[0].precision, "fp32");
});
