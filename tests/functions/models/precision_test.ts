import { rejects, strictEqual } from "node:assert/strict";
import {
  openInPrecision,
  precisionOf,
} from "../../../functions/models/precision.ts";
import { CheckpointError } from "../../../lib/errors.ts";
import { quantizedCopy } from "../../../lib/quantization/quantized_copy.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";
import { openTinyServer } from "../../support/tiny_server.ts";

const tiny = tinyFolder("emu3-tiny");

function copies(cacheFolder: string) {
  return { cacheFolder, threads: 1, program: "test", warn: () => {} };
}

Deno.test("openInPrecision() opens a checkpoint as stored by default", async () => {
  using folder = temporaryFolder();
  const options = copies(folder.path);
  let made = 0;
  for (
    const [precision, expected, count] of [
      [undefined, "fp32", 0],
      ["fp32", "fp32", 0],
      ["int8", "int8", 1],
      ["int4", "int4", 2],
    ] as const
  ) {
    const checkpoint = await openInPrecision(
      await openLanguageCheckpoint(tiny),
      { ...options, precision },
      () => made++,
    );
    strictEqual(precisionOf(checkpoint, "float32"), expected);
    strictEqual(made, count);
  }
});

Deno.test("openInPrecision() refuses more bits than a checkpoint has", async () => {
  using folder = temporaryFolder();
  const options = copies(folder.path);
  const copy = await quantizedCopy(tiny, { ...options, precision: "int4" });
  const int4 = await openLanguageCheckpoint(copy);
  for (const precision of ["fp32", "int8"] as const) {
    await rejects(
      openInPrecision(int4, { ...options, precision }, () => {}),
      (error) =>
        error instanceof CheckpointError &&
        /it is stored in int4, but PRECISION is/.test(error.message),
    );
  }
});

Deno.test("GET /v1/models lists the precision of a model", async () => {
  using folder = temporaryFolder();
  await using server = await openTinyServer({
    precision: "int8",
    copyFolder: folder.path,
  });
  const response = await server.app.request("/v1/models");
  const { data } = await response.json();
  const [language, vision] = data;
  strictEqual(language.id, "emu3-tiny");
  strictEqual(language.precision, "int8");
  strictEqual(vision.precision, "fp32");
  strictEqual(server.services.precision, "int8");
});
