/**
 * The bit-identity of rows with and without adapters in any batch: shapes of
 * real models, whose kernels split rows into tiles, with float and quantized
 * weights.
 */

import { deepStrictEqual, notDeepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { NamedAdapter } from "../../../lib/decoder/adapter_stack.ts";
import { OnnxDecoder } from "../../../lib/decoder/onnx_decoder.ts";
import { openAdapter } from "../../../lib/loading/adapter_files.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { quantizeCheckpoint } from "../../../lib/quantization/quantize_checkpoint.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";
import {
  languageTensors,
  writeRandomWeights,
} from "../../bench/random_checkpoint.ts";
import { type AdapterFixture, writeAdapter } from "../../support/adapters.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const CODES = { firstCode: 600, codebookSize: 512 };
const FIELDS = {
  "hidden_size": 1024,
  "intermediate_size": 2816,
  "num_hidden_layers": 1,
  "num_attention_heads": 16,
  "num_key_value_heads": 4,
  "vocab_size": CODES.firstCode + CODES.codebookSize,
  "max_position_embeddings": 128,
  "image_area": 4096,
  "pad_token_id": 1,
  "bos_token_id": 2,
  "eos_token_id": 3,
};
const CONFIG = parseLanguageConfig(FIELDS);
const SLOTS = 6;
const PROMPT = Int32Array.from({ length: 23 }, (_, i) => (37 * i) % 600);

/** Adapters of several ranks and matrices, one with a head. */
const FIXTURES: Readonly<Record<string, AdapterFixture>> = {
  wide: { seed: 1, rank: 16, size: 0.05 },
  narrow: { seed: 2, rank: 3, targets: ["self_attn.q_proj", "mlp.down_proj"] },
  headed: { seed: 3, rank: 8, targets: ["self_attn.v_proj"], head: true },
};
const CHOICES = [undefined, ...Object.keys(FIXTURES)];

/** Tokens of one step: a code, or a code and the end of its row. */
const FEEDS = [[700], [700, 4]] as const;

using fixtures = new DisposableStack();
const adapters: NamedAdapter[] = [];
for (const [name, fixture] of Object.entries(FIXTURES)) {
  const { path } = fixtures.use(writeAdapter(CONFIG, fixture));
  adapters.push({ name, adapter: await openAdapter(path, CONFIG) });
}
/** So many adapters that steps gather their weights instead of masking. */
const MANY: readonly NamedAdapter[] = [
  ...adapters,
  ...Array.from({ length: 30 }, (_, i) => ({
    ...adapters[1]!,
    name: `copy ${i}`,
  })),
];
const source = fixtures.use(temporaryFolder());
source.write("config.json", JSON.stringify(FIELDS));
source.write("generation_config.json", "{}");
await writeRandomWeights(source.path, languageTensors(CONFIG), "F32");
const copies = fixtures.use(temporaryFolder());
const kept = fixtures.move();
globalThis.addEventListener("unload", () => kept.dispose());

/** A row of a step. */
interface TestRow {
  readonly tokens: readonly number[];
  readonly adapter: string | undefined;
}

for (const precision of ["fp32", "int8", "int4"] as const) {
  const path = precision === "fp32"
    ? source.path
    : `${copies.path}/${precision}`;
  if (precision !== "fp32") {
    const how = { precision, threads: 2, program: "test" };
    await Array.fromAsync(quantizeCheckpoint(source.path, path, how));
  }
  const checkpoint = await openLanguageCheckpoint(path);

  /** Returns the logits of rows that each have a slot of their own. */
  const run = async (
    decoder: OnnxDecoder,
    rows: readonly TestRow[],
    kind: "step" | "multi" = "step",
  ) => {
    for (const [slot, { adapter }] of rows.entries()) {
      await decoder.prefill(slot, PROMPT, 0, undefined, adapter);
    }
    const feeds = rows.map((row, slot) => ({
      ...row,
      slot,
      position: PROMPT.length,
    }));
    const hidden = kind === "step"
      ? await decoder.step(feeds)
      : await decoder.multiTokenStep(feeds);
    const last = hidden.map((states) => states.slice(-CONFIG.hiddenSize));
    const names = rows.map(({ adapter }) => adapter);
    const logits = await decoder.logits("codes", last, names);
    for (const slot of rows.keys()) decoder.release(slot);
    return logits.map((row) => row.slice());
  };
  const options = {
    slots: SLOTS,
    contextLength: 64,
    chunkLength: 32,
    heads: ["codes"],
    cacheDtype: "float32",
  } as const;

  for (const loaded of precision === "fp32" ? [adapters, MANY] : [adapters]) {
    Deno.test(`OnnxDecoder in ${precision} with ${loaded.length} adapters returns bit-identical rows in any batch`, async () => {
      await using runtime = new Runtime({ threads: 2 });
      await using plain = await OnnxDecoder.open(
        runtime,
        checkpoint,
        CODES,
        options,
      );
      await using decoder = await OnnxDecoder.open(runtime, checkpoint, CODES, {
        ...options,
        adapters: loaded,
      });
      const alone = new Map<string, Float32Array>();
      const key = ({ tokens, adapter }: TestRow) => `${adapter} ${tokens}`;
      for (const adapter of CHOICES) {
        for (const tokens of FEEDS) {
          const row = { tokens, adapter };
          const server = adapter === undefined ? plain : decoder;
          alone.set(key(row), (await run(server, [row]))[0]!);
        }
      }
      const [none, ...others] = CHOICES.map((adapter) =>
        alone.get(key({ tokens: FEEDS[0], adapter }))
      );
      for (const other of others) notDeepStrictEqual(other, none);
      const anyRows = fc.array(
        fc.record({
          tokens: fc.constantFrom(...FEEDS),
          adapter: fc.constantFrom(...CHOICES),
        }),
        { minLength: 1, maxLength: SLOTS },
      );
      await fc.assert(
        fc.asyncProperty(anyRows, async (rows) => {
          const logits = await run(decoder, rows);
          for (const [i, row] of rows.entries()) {
            deepStrictEqual(logits[i], alone.get(key(row)), key(row));
          }
        }),
        { numRuns: 10 },
      );
    });
  }

  Deno.test(`OnnxDecoder in ${precision} runs adapters in multi-token steps`, async () => {
    await using runtime = new Runtime({ threads: 2 });
    await using plain = await OnnxDecoder.open(
      runtime,
      checkpoint,
      CODES,
      options,
    );
    await using decoder = await OnnxDecoder.open(runtime, checkpoint, CODES, {
      ...options,
      adapters,
    });
    const tokens = [700, 701, 4];
    const rows = (adapter: string | undefined) => [
      { tokens, adapter },
      { tokens, adapter },
    ];
    const none = rows(undefined);
    const expected = await run(plain, none, "multi");
    deepStrictEqual(await run(decoder, none, "multi"), expected);
    for (const { name } of adapters) {
      const given = await run(decoder, rows(name), "multi");
      notDeepStrictEqual(given, expected);
      deepStrictEqual(await run(decoder, rows(name), "multi"), given);
    }
  });
}
