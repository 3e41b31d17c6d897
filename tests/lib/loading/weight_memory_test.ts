import { match, strictEqual, throws } from "node:assert/strict";
import { CheckpointError } from "../../../lib/errors.ts";
import {
  copiedWeightBytes,
  deviceWeightBytes,
  refuseUnfitting,
  refuseUnfittingDevice,
} from "../../../lib/loading/weight_memory.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";

/** The published model: 32 layers of 218,103,808 numbers in matrices. */
const config = parseLanguageConfig({});
const LAYERS = 32 * 218_103_808;
const HEAD = 32_768 * 4096;

Deno.test("copiedWeightBytes() counts cast and rearranged weights, not mapped ones", () => {
  const bytes = (
    storedDtype: "float32" | "bfloat16",
    codeBits?: 4 | 8,
  ) => copiedWeightBytes({ config, codeBits, storedDtype }, "float32", 32_768);
  strictEqual(bytes("float32"), 0);
  strictEqual(bytes("bfloat16"), 4 * (LAYERS + HEAD));
  strictEqual(bytes("bfloat16", 8), LAYERS + HEAD);
  strictEqual(bytes("float32", 4), (LAYERS + HEAD) / 2);
});

Deno.test("refuseUnfitting() names the sizes and the remedy", () => {
  const folder = "/models/Emu3-Gen";
  refuseUnfitting({ folder, codeBits: undefined }, 10, 10);
  throws(
    () => refuseUnfitting({ folder, codeBits: undefined }, 28.5e9, 20e9),
    (error) => {
      strictEqual(error instanceof CheckpointError, true);
      match(
        String(error),
        /takes 28\.5 GB of memory, but only 20\.0 GB are free; set PRECISION=int4, or .*deno task quantize \/models\/Emu3-Gen/,
      );
      return true;
    },
  );
  throws(
    () => refuseUnfitting({ folder, codeBits: 8 }, 11, 10),
    /or its unquantized checkpoint with PRECISION=int4/,
  );
});

Deno.test("deviceWeightBytes() counts all weights, embeddings in full", () => {
  const table = 184_622 * 4096;
  const bytes = (codeBits?: 4 | 8) =>
    deviceWeightBytes({ config, codeBits }, "bfloat16", 32_768);
  strictEqual(bytes(), 2 * (table + LAYERS + HEAD));
  strictEqual(bytes(4), 2 * table + (LAYERS + HEAD) * (1 / 2 + 2 / 16));
});

Deno.test("refuseUnfittingDevice() names the sizes and the remedies", () => {
  const checkpoint = { folder: "/models/Emu3-Gen", codeBits: undefined };
  const sizes = { weightBytes: 16e9, cacheBytes: 6e9, deviceBytes: 22e9 };
  refuseUnfittingDevice(checkpoint, sizes);
  throws(
    () => refuseUnfittingDevice(checkpoint, { ...sizes, deviceBytes: 20e9 }),
    /take 16\.0 GB of the device's memory and the KV cache 6\.0 GB, but only 20\.0 GB may be used; lower KV_BYTES, set PRECISION=int4/,
  );
  throws(
    () =>
      refuseUnfittingDevice({ ...checkpoint, codeBits: 4 }, {
        ...sizes,
        deviceBytes: 1e9,
      }),
    /lower KV_BYTES, or serve fewer FUNCTIONS/,
  );
});
