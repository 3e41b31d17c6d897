import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { CheckpointError } from "../../lib/errors.ts";
import {
  EMU3_SPECIAL_NAMES,
  originalSpecials,
  specialNames,
} from "../../lib/special_tokens.ts";

const FILE = "tokenizer_config.json";

Deno.test("originalSpecials() puts the list after Qwen's special tokens", () => {
  const specials = originalSpecials("<|image token|>\r\n<|image start|>\n\n");
  strictEqual(specials.length, 1 + 2 + 205 + 2);
  deepStrictEqual(specials.slice(0, 4), [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|extra_0|>",
  ]);
  deepStrictEqual(specials.slice(-3), [
    "<|extra_204|>",
    "<|image token|>",
    "<|image start|>",
  ]);
});

Deno.test("specialNames() returns Emu3's names if the file has none", () => {
  const silent = { "eos_token": null, "padding_side": "left" };
  deepStrictEqual(
    specialNames([{ json: silent, file: FILE }]),
    EMU3_SPECIAL_NAMES,
  );
});

Deno.test("specialNames() reads names as text and as objects, in either layout", () => {
  const json = {
    "bos_token": "<s>",
    "eos_token": { "content": "</s>", "lstrip": false },
    "image_token": "<image>",
    "image_wrapper_token": "<wrapper>",
  };
  const names = specialNames([{ json, file: FILE }]);
  strictEqual(names.bos, "<s>");
  strictEqual(names.eos, "</s>");
  strictEqual(names.img, "<wrapper>");
});

Deno.test("specialNames() names file and key of an invalid name", () => {
  throws(
    () => specialNames([{ json: { "boi_token": 7 }, file: FILE }]),
    new CheckpointError(
      "tokenizer_config.json",
      '"boi_token" is not the name of a token',
    ),
  );
});

for (
  const nested of ["extra_special_tokens", "model_specific_special_tokens"]
) {
  Deno.test(`specialNames() reads a model's own tokens out of ${nested}`, () => {
    const json = {
      "eos_token": "</s>",
      [nested]: {
        "eos_token": "<other>",
        "boi_token": "<boi>",
        "eoi_token": { "content": "<eoi>", "special": true },
        "image_wrapper_token": null,
      },
    };
    deepStrictEqual(specialNames([{ json, file: FILE }]), {
      ...EMU3_SPECIAL_NAMES,
      eos: "</s>",
      boi: "<boi>",
      eoi: "<eoi>",
    });
  });
}

Deno.test("specialNames() reads no names from a list of extra tokens", () => {
  const json = { "extra_special_tokens": ["<a>", "<b>"] };
  deepStrictEqual(specialNames([{ json, file: FILE }]), EMU3_SPECIAL_NAMES);
});

Deno.test("specialNames() reads from the second file the names that the first omits", () => {
  const names = specialNames([
    { json: { "bos_token": "<s>", "boi_token": null }, file: FILE },
    {
      json: { "bos_token": "<other>", "boi_token": "<boi>" },
      file: "special_tokens_map.json",
    },
  ]);
  deepStrictEqual([names.bos, names.boi], ["<s>", "<boi>"]);
});
