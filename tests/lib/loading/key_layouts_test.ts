import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  originalKeys,
  transformersLanguageKeys,
  transformersVisionKeys,
} from "../../../lib/loading/key_layouts.ts";
import { goldenJson, goldenPath } from "../../support/golden.ts";
import { readSafetensors } from "../../support/safetensors.ts";
import { vqTensors } from "../../support/vq_tensors.ts";

Deno.test("transformersVisionKeys() spells all 495 tensors as the converter, as newer transformers and as a part saved alone", () => {
  const tensors = vqTensors();
  strictEqual(tensors.length, 495);
  for (const { original, transformers } of tensors) {
    deepStrictEqual(transformersVisionKeys(original), [
      transformers,
      `model.${transformers}`,
      transformers.replace(/^vqmodel\./, ""),
    ]);
  }
});

Deno.test("transformersLanguageKeys() spells the body and the head in both generations and as a part saved alone", () => {
  deepStrictEqual(transformersLanguageKeys("model.norm.weight"), [
    "text_model.model.norm.weight",
    "model.text_model.norm.weight",
    "model.norm.weight",
  ]);
  deepStrictEqual(transformersLanguageKeys("lm_head.weight"), [
    "text_model.lm_head.weight",
    "lm_head.weight",
  ]);
});

Deno.test("transformersVisionKeys() and transformersLanguageKeys() together name every tensor of the converter, once", () => {
  const { weight_map: language } = goldenJson<{
    "weight_map": Record<string, string>;
  }>("checkpoints/emu3-tiny/model.safetensors.index.json");
  const vision = readSafetensors(
    goldenPath("checkpoints/emu3-tiny-visiontokenizer/model.safetensors"),
  );
  const names = [
    ...Object.keys(language).map((key) => transformersLanguageKeys(key)[0]!),
    ...[...vision.keys()].map((key) => transformersVisionKeys(key)[0]!),
  ];
  const stored = readSafetensors(
    goldenPath("checkpoints/emu3-tiny-hf/model.safetensors"),
  );
  deepStrictEqual(names.sort(), [...stored.keys()].sort());
});

Deno.test("originalKeys() returns a key unchanged", () => {
  deepStrictEqual(originalKeys("model.norm.weight"), ["model.norm.weight"]);
  ok(!originalKeys("lm_head.weight").includes("text_model.lm_head.weight"));
});
