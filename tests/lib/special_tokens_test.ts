import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { CheckpointError } from "../../lib/errors.ts";
import {
  EMU3_SPECIAL_NAMES,
  originalSpecials,
  specialNames,
} from "../../lib/special_tokens.ts";

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

Deno.test("specialNames() gives Emu3's names when the file is silent", () => {
  const silent = { "eos_token": null, "padding_side": "left" };
  deepStrictEqual(
    specialNames(silent, "tokenizer_config.json"),
    EMU3_SPECIAL_NAMES,
  );
});

Deno.test("specialNames() reads names as text and as objects, in either layout", () => {
  const names = specialNames({
    "bos_token": "<s>",
    "eos_token": { "content": "</s>", "lstrip": false },
    "image_token": "<image>",
    "image_wrapper_token": "<wrapper>",
  }, "tokenizer_config.json");
  strictEqual(names.bos, "<s>");
  strictEqual(names.eos, "</s>");
  strictEqual(names.img, "<wrapper>");
});

Deno.test("specialNames() names file and key when a name is none", () => {
  throws(
    () => specialNames({ "boi_token": 7 }, "tokenizer_config.json"),
    new CheckpointError(
      "tokenizer_config.json",
      '"boi_token" is not the name of a token',
    ),
  );
});
