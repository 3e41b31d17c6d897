import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { CheckpointError } from "../../../lib/errors.ts";
import { openAdapter } from "../../../lib/loading/adapter_files.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";
import {
  type AdapterFixture,
  adapterTensors,
  writeAdapter,
} from "../../support/adapters.ts";
import type { Tensor } from "../../support/safetensors.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const config = parseLanguageConfig({
  "vocab_size": 20,
  "hidden_size": 8,
  "intermediate_size": 12,
  "num_hidden_layers": 2,
  "num_attention_heads": 2,
  "num_key_value_heads": 1,
});
const Q = "self_attn.q_proj";
const FIRST = "base_model.model.model.layers.0.self_attn.q_proj";

/** Opens an adapter whose tensors `change` has changed. */
async function opened(
  fixture: Partial<AdapterFixture> = {},
  change: (tensors: Map<string, Tensor>) => void = () => {},
) {
  const whole = { seed: 1, ...fixture };
  const tensors = adapterTensors(config, whole);
  change(tensors);
  using folder = writeAdapter(config, whole, tensors);
  return await openAdapter(folder.path, config);
}

Deno.test("openAdapter() finds A and B of every matrix", async () => {
  const { matrices, head, baseModel, byteLength } = await opened();
  strictEqual(matrices.size, 14);
  strictEqual(baseModel, "tiny");
  strictEqual(head, undefined);
  const { a, b, rank, scale, shape } = matrices.get(
    "model.layers.1.mlp.down_proj",
  )!;
  deepStrictEqual([a.shape, b.shape], [[4, 12], [8, 4]]);
  deepStrictEqual({ rank, scale, shape }, {
    rank: 4,
    scale: 2,
    shape: [8, 12],
  });
  ok(byteLength > 0);
});

Deno.test("openAdapter() reads the names of both layouts", async () => {
  const [original, ...others] = await Promise.all(
    ["", "text_model.", "model.text_model."].map(async (spelling) => {
      const { matrices } = await opened({}, (tensors) => {
        for (const [name, tensor] of [...tensors]) {
          tensors.delete(name);
          const body = spelling === "model.text_model."
            ? "base_model.model.model."
            : "base_model.model.";
          tensors.set(
            name.replace(body, `base_model.model.${spelling}`),
            tensor,
          );
        }
      });
      return [...matrices.keys()].sort();
    }),
  );
  for (const other of others) deepStrictEqual(other, original);
});

Deno.test("openAdapter() finds a head that replaces that of the base", async () => {
  const { head } = await opened({ head: true, targets: [Q] });
  deepStrictEqual(head?.shape, [20, 8]);
});

Deno.test("openAdapter() names the tensor that does not fit the base", async () => {
  const a = `${FIRST}.lora_A.weight`;
  const b = `${FIRST}.lora_B.weight`;
  const floats = (shape: number[], dtype = "F32"): Tensor => ({
    dtype,
    shape,
    data: new Float32Array(shape.reduce((x, y) => x * y)),
  });
  const wrong: readonly (readonly [
    RegExp,
    (tensors: Map<string, Tensor>) => unknown,
  ])[] = [
    [
      /lora_A.weight": it has shape \[4,9\].*\[4,8\]/,
      (tensors) => tensors.set(a, floats([4, 9])),
    ],
    [
      /lora_B.weight": it has shape \[8,5\].*\[8,4\]/,
      (tensors) => tensors.set(b, floats([8, 5])),
    ],
    [/lora_B.weight": it is missing/, (tensors) => tensors.delete(b)],
    [/q_proj.lora_A.weight": it is missing/, (tensors) => {
      tensors.delete(a);
      tensors.delete(b);
    }],
    [
      /lora_A.weight": it has dtype I32; supported types are F32/,
      (tensors) => tensors.set(a, floats([4, 8], "I32")),
    ],
    [
      /layers.2.mlp.up_proj.lora_A.weight": the base has no matrix/,
      (tensors) =>
        tensors.set(
          "base_model.model.model.layers.2.mlp.up_proj.lora_A.weight",
          floats([4, 8]),
        ),
    ],
    [
      /embed_tokens.weight": it is neither a LoRA matrix/,
      (tensors) =>
        tensors.set(
          "base_model.model.model.embed_tokens.weight",
          floats([20, 8]),
        ),
    ],
    [
      /lora_magnitude_vector": it is neither a LoRA matrix/,
      (tensors) => tensors.set(`${FIRST}.lora_magnitude_vector`, floats([8])),
    ],
    [
      /lm_head.weight": "modules_to_save"/,
      (tensors) =>
        tensors.set("base_model.model.lm_head.weight", floats([20, 8])),
    ],
    [/it has no adapter tensors/, (tensors) => tensors.clear()],
  ];
  for (const [message, change] of wrong) {
    await rejects(opened({}, change), (error) => {
      ok(error instanceof CheckpointError);
      ok(message.test(error.message), error.message);
      return true;
    });
  }
  await rejects(
    opened({ settings: { "target_modules": ["k_proj"] } }),
    /"target_modules" of adapter_config.json does not name its module/,
  );
  await rejects(
    opened({ settings: { "modules_to_save": ["lm_head"] } }),
    /lm_head.weight": it is missing/,
  );
});

Deno.test("openAdapter() names the file that is missing or damaged", async () => {
  using empty = temporaryFolder();
  await rejects(
    openAdapter(empty.path, config),
    /adapter_config.json: the file does not exist/,
  );
  empty.write("adapter_config.json", '{"peft_type": "IA3"}');
  await rejects(openAdapter(empty.path, config), /adapter_config.json: field/);
  using folder = writeAdapter(config, { seed: 1 });
  await Deno.remove(`${folder.path}/adapter_model.safetensors`);
  await rejects(
    openAdapter(folder.path, config),
    /adapter_model.safetensors: the file does not exist/,
  );
  folder.write("adapter_model.safetensors", new Uint8Array(40).fill(255));
  await rejects(openAdapter(folder.path, config), CheckpointError);
});
