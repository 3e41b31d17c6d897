import { match, strictEqual, throws } from "node:assert/strict";
import { CheckpointError } from "../../../lib/errors.ts";
import {
  copiedWeightBytes,
  refuseUnfitting,
} from "../../../lib/loading/weight_memory.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";

/** The published model: 32 layers of 218,103,808 numbers in matrices. */
const config = parseLanguageConfig({});
const LAYERS = 32 * 218_103_808;
const HEAD = 32_768 * 4096;

Deno.test("copiedWeightBytes() counts what is cast or arranged, not what is mapped", () => {
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
        /takes 28\.5 GB of memory, 20\.0 GB are free: set PRECISION=int4, or .*deno task quantize \/models\/Emu3-Gen/,
      );
      return true;
    },
  );
  throws(
    () => refuseUnfitting({ folder, codeBits: 8 }, 11, 10),
    /a larger machine or PRECISION=int4/,
  );
});
