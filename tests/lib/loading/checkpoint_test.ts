import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { basename } from "node:path";
import { CheckpointError } from "../../../lib/errors.ts";
import {
  findVisionFolder,
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../../lib/loading/checkpoint.ts";
import { modelName } from "../../../lib/loading/hub_cache.ts";
import type { Weights } from "../../../models/graph/weights.ts";
import { decoderGraph, headGraph } from "../../../models/decoder.ts";
import type { LanguageConfig } from "../../../models/config/language_config.ts";
import { changedFolder } from "../../support/changed_folder.ts";
import { goldenPath } from "../../support/golden.ts";
import { readSafetensors } from "../../support/safetensors.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { safetensorsBytes } from "../../support/write_safetensors.ts";

const CHECKPOINTS = goldenPath("checkpoints");
const ORIGINAL = `${CHECKPOINTS}/emu3-tiny`;
const VISION = `${CHECKPOINTS}/emu3-tiny-visiontokenizer`;
const TRANSFORMERS = `${CHECKPOINTS}/emu3-tiny-hf`;

/** Builds every graph of a language model, which finds all its weights. */
function buildAll(config: LanguageConfig, weights: Weights): void {
  const options = { computeDtype: "float32" } as const;
  decoderGraph(config, weights, {
    ...options,
    positions: 4,
    cacheDtype: "float32",
    arrangement: { type: "step" },
  });
  const rows = { start: 0, count: config.vocabularySize };
  headGraph(config, weights, { ...options, rows });
}

function saying(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    ok(error instanceof CheckpointError, String(error));
    ok(message.test(error.message), error.message);
    return true;
  };
}

for (
  const [folder, layout, shards] of [
    [ORIGINAL, "original", true],
    [TRANSFORMERS, "transformers", false],
  ] as const
) {
  Deno.test(`openLanguageCheckpoint() opens ${basename(folder)} and all its weights`, async () => {
    const checkpoint = await openLanguageCheckpoint(folder);
    strictEqual(checkpoint.name, basename(folder));
    strictEqual(checkpoint.layout, layout);
    strictEqual(checkpoint.storedDtype, "float32");
    strictEqual(checkpoint.config.layers, 2);
    strictEqual(checkpoint.generation.guidanceScale, 3);
    const embedding = checkpoint.weights
      .find("model.embed_tokens.weight", [1747, 64]);
    ok(/0000\d-of/.test(embedding.location) === shards);
    buildAll(checkpoint.config, checkpoint.weights);
  });
}

for (const folder of [VISION, TRANSFORMERS]) {
  Deno.test(`openVisionCheckpoint() opens the vision tokenizer in ${basename(folder)}`, async () => {
    const { config, preprocessor, weights, storedDtype } =
      await openVisionCheckpoint(folder);
    strictEqual(config.codebookSize, 512);
    deepStrictEqual(
      [preprocessor.minPixels, preprocessor.maxPixels],
      [1024, 9216],
    );
    strictEqual(storedDtype, "float32");
    strictEqual(
      weights.find("quantize.embedding.weight", [512, 4]).length,
      8192,
    );
  });
}

Deno.test("Both layouts hold the same numbers under the same keys", async () => {
  const keys = readSafetensors(`${VISION}/model.safetensors`);
  const [a, b] = [
    await openVisionCheckpoint(VISION),
    await openVisionCheckpoint(TRANSFORMERS),
  ];
  const files = new Map<string, Uint8Array>();
  const read = async ({ weights, weightFolder }: typeof a, key: string) => {
    const { shape } = keys.get(key)!;
    const { location, offset, length } = weights.find(key, shape);
    const path = weightFolder + location;
    const bytes = files.get(path) ?? await Deno.readFile(path);
    files.set(path, bytes);
    return bytes.slice(offset, offset + length);
  };
  let compared = 0;
  for (const [key, { dtype }] of keys) {
    if (dtype !== "F32") continue;
    deepStrictEqual(await read(a, key), await read(b, key), key);
    compared++;
  }
  strictEqual(compared, 339);
});

Deno.test("openLanguageCheckpoint() and openVisionCheckpoint() open a folder saved again by newer transformers", async () => {
  const newer = (key: string) =>
    key === "text_model.lm_head.weight"
      ? "lm_head.weight"
      : key.replace(/^text_model\.model\./, "model.text_model.")
        .replace(/^vqmodel\./, "model.vqmodel.");
  const stored = readSafetensors(`${TRANSFORMERS}/model.safetensors`);
  const renamed = new Map(
    [...stored].map(([key, tensor]) => [newer(key), tensor]),
  );
  ok(renamed.has("lm_head.weight"));
  ok([...renamed.keys()].every((key) => /^(model\.|lm_head)/.test(key)));
  using folder = changedFolder(TRANSFORMERS, {
    "model.safetensors": safetensorsBytes(renamed),
  });
  const language = await openLanguageCheckpoint(folder.path);
  buildAll(language.config, language.weights);
  const vision = await openVisionCheckpoint(folder.path);
  for (
    const [key, { dtype, shape }] of readSafetensors(
      `${VISION}/model.safetensors`,
    )
  ) {
    if (dtype === "F32") vision.weights.find(key, shape);
  }
});

/** Returns the tensors of the transformers layout that `keep` names. */
function someTensors(keep: (key: string) => string | undefined): Uint8Array {
  const stored = readSafetensors(`${TRANSFORMERS}/model.safetensors`);
  return safetensorsBytes(
    new Map([...stored].flatMap(([key, tensor]) => {
      const name = keep(key);
      return name === undefined ? [] : [[name, tensor] as const];
    })),
  );
}

async function configOf(folder: string) {
  return JSON.parse(await Deno.readTextFile(`${folder}/config.json`));
}

for (const outside of [true, false]) {
  Deno.test(`a head that is tied ${outside ? "outside" : "inside"} of text_config is the embedding, unless one is stored`, async () => {
    const config = await configOf(TRANSFORMERS);
    const tied = { "tie_word_embeddings": true };
    const json = JSON.stringify(
      outside
        ? { ...config, ...tied }
        : { ...config, "text_config": { ...config.text_config, ...tied } },
    );
    using folder = changedFolder(TRANSFORMERS, {
      "config.json": json,
      "model.safetensors": someTensors((key) =>
        key.includes("lm_head") ? undefined : key
      ),
    });
    const without = await openLanguageCheckpoint(folder.path);
    strictEqual(without.config.tiedEmbeddings, true);
    buildAll(without.config, without.weights);
    using both = changedFolder(TRANSFORMERS, { "config.json": json });
    const stored = await openLanguageCheckpoint(both.path);
    strictEqual(stored.config.tiedEmbeddings, false);
    buildAll(stored.config, stored.weights);
  });
}

Deno.test("headGraph() refuses a missing head that is not tied", async () => {
  using folder = changedFolder(TRANSFORMERS, {
    "model.safetensors": someTensors((key) =>
      key.includes("lm_head") ? undefined : key
    ),
  });
  const { config, weights } = await openLanguageCheckpoint(folder.path);
  await rejects(
    async () => await buildAll(config, weights),
    saying(/tensor "text_model\.lm_head\.weight" is missing/),
  );
});

Deno.test("openLanguageCheckpoint() and openVisionCheckpoint() open either part of a transformers checkpoint saved alone", async () => {
  const config = await configOf(TRANSFORMERS);
  using text = changedFolder(TRANSFORMERS, {
    "config.json": JSON.stringify({
      ...config.text_config,
      "model_type": "emu3_text_model",
    }),
    "model.safetensors": someTensors((key) =>
      key.startsWith("text_model.")
        ? key.slice("text_model.".length)
        : undefined
    ),
  });
  const language = await openLanguageCheckpoint(text.path);
  strictEqual(language.layout, "transformers");
  buildAll(language.config, language.weights);
  await rejects(
    findVisionFolder(text.path),
    saying(/no …VisionTokenizer folder is beside it/),
  );
  using alone = changedFolder(TRANSFORMERS, {
    "config.json": JSON.stringify({
      ...config.vq_config,
      "model_type": "emu3_vqgan",
    }),
    "model.safetensors": someTensors((key) =>
      key.startsWith("vqmodel.") ? key.slice("vqmodel.".length) : undefined
    ),
  });
  const vision = await openVisionCheckpoint(alone.path);
  strictEqual(vision.layout, "transformers");
  for (
    const [key, { dtype, shape }] of readSafetensors(
      `${VISION}/model.safetensors`,
    )
  ) {
    if (dtype === "F32") vision.weights.find(key, shape);
  }
});

Deno.test("openLanguageCheckpoint() lists every end token of config.json and generation_config.json", async () => {
  const config = await configOf(ORIGINAL);
  using folder = changedFolder(ORIGINAL, {
    "config.json": JSON.stringify({
      ...config,
      "eos_token_id": [config.eos_token_id, 1025],
    }),
    "generation_config.json": '{"eos_token_id": [1026, 1025]}',
  });
  const { generation } = await openLanguageCheckpoint(folder.path);
  deepStrictEqual(generation.endTokens, [1026, 1025, config.eos_token_id]);
});

Deno.test("openLanguageCheckpoint() opens a single file like shards", async () => {
  const tensors = ["00001", "00002"].flatMap((part) => [
    ...readSafetensors(`${ORIGINAL}/model-${part}-of-00002.safetensors`),
  ]);
  using folder = temporaryFolder();
  folder.link("config.json", `${ORIGINAL}/config.json`);
  folder.write("model.safetensors", safetensorsBytes(new Map(tensors)));
  const { config, weights, generation } = await openLanguageCheckpoint(
    folder.path,
  );
  buildAll(config, weights);
  // There is no generation_config.json.
  strictEqual(generation.topK, 2048);
});

Deno.test("openLanguageCheckpoint() names file and field of a wrong configuration", async () => {
  using folder = changedFolder(ORIGINAL, {
    "config.json": '{"hidden_size": "wide"}',
  });
  await rejects(
    openLanguageCheckpoint(folder.path),
    saying(/config\.json: field "hidden_size": .*Expected number/),
  );
});

Deno.test("openLanguageCheckpoint() refuses a folder without a configuration, or with null for one", async () => {
  using empty = temporaryFolder();
  await rejects(
    openLanguageCheckpoint(empty.path),
    saying(/config\.json: the file does not exist/),
  );
  using nothing = changedFolder(ORIGINAL, { "config.json": "null" });
  await rejects(
    openLanguageCheckpoint(nothing.path),
    saying(/config\.json: .*Expected Object/),
  );
});

Deno.test("decoderGraph() names file, key and both shapes when configuration and weights disagree", async () => {
  const config = JSON.parse(await Deno.readTextFile(`${ORIGINAL}/config.json`));
  using folder = changedFolder(ORIGINAL, {
    "config.json": JSON.stringify({ ...config, "intermediate_size": 96 }),
  });
  const checkpoint = await openLanguageCheckpoint(folder.path);
  await rejects(
    async () => await buildAll(checkpoint.config, checkpoint.weights),
    saying(
      /model-0000\d-of-00002\.safetensors: tensor "model\.layers\.0\.mlp\.gate_proj\.weight" has shape \[128,64\], but the configuration requires \[96,64\]/,
    ),
  );
});

Deno.test("decoderGraph() names the key when the configuration has more layers than the weights", async () => {
  const config = JSON.parse(await Deno.readTextFile(`${ORIGINAL}/config.json`));
  using folder = changedFolder(ORIGINAL, {
    "config.json": JSON.stringify({ ...config, "num_hidden_layers": 3 }),
  });
  const checkpoint = await openLanguageCheckpoint(folder.path);
  await rejects(
    async () => await buildAll(checkpoint.config, checkpoint.weights),
    saying(/tensor "model\.layers\.2\.input_layernorm\.weight" is missing/),
  );
});

Deno.test("openLanguageCheckpoint() distinguishes a vision tokenizer from a language model", async () => {
  await rejects(
    openLanguageCheckpoint(VISION),
    saying(/tensor "model\.embed_tokens\.weight" is missing/),
  );
  await rejects(
    openVisionCheckpoint(ORIGINAL),
    saying(/tensor "quantize\.embedding\.weight" is missing/),
  );
});

Deno.test("openVisionCheckpoint() refuses a preprocessor whose factor is not the model's", async () => {
  using folder = changedFolder(VISION, {
    "preprocessor_config.json": '{"spatial_factor": 16}',
  });
  await rejects(
    openVisionCheckpoint(folder.path),
    saying(
      /preprocessor_config\.json: field "spatial_factor": 16 does not match the 8 pixels/,
    ),
  );
});

Deno.test("findVisionFolder() returns the folder itself in the transformers layout", async () => {
  strictEqual(await findVisionFolder(TRANSFORMERS), TRANSFORMERS);
});

Deno.test("findVisionFolder() returns the neighbor in the original layout, with and without a slash at the end", async () => {
  strictEqual(await findVisionFolder(ORIGINAL), VISION);
  strictEqual(await findVisionFolder(`${ORIGINAL}/`), VISION);
});

/** Neighbors of a language model named `emu3-mini`, and the expected result. */
const neighbors: Record<string, [string[], string | RegExp]> = {
  "there is one": [["Emu3-VisionTokenizer"], "Emu3-VisionTokenizer"],
  "one has the model's name": [
    ["Emu3-VisionTokenizer", "emu3-mini-visiontokenizer"],
    "emu3-mini-visiontokenizer",
  ],
  "there is none": [
    ["emu3-mini-2", "visiontokenizer-notes"],
    /no …VisionTokenizer folder is beside it; set VISION_MODEL/,
  ],
  "there are several": [
    ["b-VisionTokenizer", "a-VisionTokenizer"],
    /several …VisionTokenizer folders are beside it \(a-VisionTokenizer, b-VisionTokenizer\); set VISION_MODEL/,
  ],
};

for (const [when, [names, expected]] of Object.entries(neighbors)) {
  Deno.test(`findVisionFolder() decides when ${when}`, async () => {
    using parent = temporaryFolder();
    parent.write("emu3-mini/config.json", "{}");
    for (const name of names) parent.write(`${name}/config.json`, "{}");
    const found = findVisionFolder(`${parent.path}/emu3-mini`);
    if (typeof expected === "string") {
      strictEqual(await found, `${parent.path}/${expected}`);
    } else {
      await rejects(found, saying(expected));
    }
  });
}

Deno.test("findVisionFolder() skips files and follows links", async () => {
  using parent = temporaryFolder();
  parent.write("emu3-mini/config.json", "{}");
  parent.write("notes-visiontokenizer", "not a folder");
  parent.link("Emu3-VisionTokenizer", VISION);
  strictEqual(
    await findVisionFolder(`${parent.path}/emu3-mini`),
    `${parent.path}/Emu3-VisionTokenizer`,
  );
});

Deno.test("findVisionFolder() finds the neighbor in a Hugging Face cache", async () => {
  using hub = temporaryFolder();
  const snapshot = async (repository: string, commit: string) => {
    const folder = `${hub.path}/models--BAAI--${repository}`;
    await Deno.mkdir(`${folder}/snapshots/${commit}`, { recursive: true });
    await Deno.mkdir(`${folder}/refs`);
    await Deno.writeTextFile(`${folder}/refs/main`, commit);
    return `${folder}/snapshots/${commit}`;
  };
  const language = await snapshot("Emu3-Gen", "aaa");
  await Deno.writeTextFile(`${language}/config.json`, "{}");
  const vision = await snapshot("Emu3-VisionTokenizer", "bbb");
  await snapshot("Other", "ccc");
  strictEqual(await findVisionFolder(language), vision);
  strictEqual(modelName(language), "Emu3-Gen");
});
