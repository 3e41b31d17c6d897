import { match, rejects, strictEqual, throws } from "node:assert/strict";
import { assertDraws, openDevice } from "../../../functions/models/device.ts";
import { generationParams } from "../../../functions/inference/generation_params.ts";
import { InvalidFieldsError } from "../../../functions/http/errors/errors.ts";
import { GenerateRequest } from "../../../functions/schema/generate.ts";
import { RuntimeError } from "../../../lib/errors.ts";
import { CPU_PROVIDER, cudaProvider } from "../../../lib/runtime/provider.ts";
import { parse } from "valibot";
import { openTinyServer, tinyOptions } from "../../support/tiny_server.ts";

const cuda = cudaProvider({ deviceId: 0, memoryLimitBytes: undefined });

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

Deno.test("assertDraws() refuses a strategy that the device does not support", () => {
  assertDraws(CPU_PROVIDER, "zipar");
  assertDraws(cuda, "jacobi");
  assertDraws(cuda, undefined);
  throws(
    () => assertDraws(cuda, "zipar"),
    /Cannot draw with zipar on cuda.*STRATEGY=jacobi/,
  );
});

Deno.test("POST /v1/generate refuses an unsupported strategy by its field", async () => {
  await using server = await openTinyServer();
  const { services } = server;
  const generator = services.imageGenerator(undefined);
  const request = parse(GenerateRequest, { prompt: "a", strategy: "zipar" });
  strictEqual(generationParams(request, generator).strategy.name, "zipar");
  const refused = new Set(["zipar"] as const);
  throws(
    () => generationParams(request, { ...generator, refused }),
    (error) => {
      strictEqual(error instanceof InvalidFieldsError, true);
      match(String(error), /\/strategy: zipar is not supported/);
      return true;
    },
  );
});

Deno.test("GET /v1/models names the device and the precision", async () => {
  await using server = await openTinyServer();
  const { data } = await (await server.app.request("/v1/models")).json();
  strictEqual(data[0].device, "cpu");
  strictEqual(data[0].precision, "fp32");
});
