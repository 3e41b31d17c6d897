import { deepStrictEqual, throws } from "node:assert/strict";
import {
  parseGenerationConfig,
  PUBLISHED_NEGATIVE_PROMPT,
} from "../../../models/config/generation_config.ts";
import { goldenJson } from "../../support/golden.ts";

const PUBLISHED = {
  guidanceScale: 3,
  negativePrompt: PUBLISHED_NEGATIVE_PROMPT,
  temperature: 1,
  topK: 2048,
  topP: 1,
  template: "chat",
  examples: [],
  maxImages: 1,
  textOnly: true,
  subjects: [],
  knownWords: [],
  endTokens: [],
};

for (
  const file of [
    "hub/Emu3-Gen/generation_config.json",
    "hub/Emu3-Chat/generation_config.json",
    "checkpoints/emu3-tiny/generation_config.json",
    "checkpoints/emu3-tiny-hf/generation_config.json",
  ]
) {
  Deno.test(`parseGenerationConfig() uses the published values for fields that ${file} omits`, () => {
    const json = goldenJson<{ eos_token_id?: number }>(file);
    deepStrictEqual(parseGenerationConfig(json), {
      ...PUBLISHED,
      endTokens: [json.eos_token_id ?? []].flat(),
    });
  });
}

Deno.test("parseGenerationConfig() takes the published settings if there is no file", () => {
  deepStrictEqual(parseGenerationConfig({}), PUBLISHED);
});

Deno.test("PUBLISHED_NEGATIVE_PROMPT is that of the golden drawings", () => {
  const { cases } = goldenJson<{ cases: { negative: string }[] }>(
    "generate.json",
  );
  deepStrictEqual(cases[0]?.negative, PUBLISHED_NEGATIVE_PROMPT);
});

Deno.test("parseGenerationConfig() reads every field", () => {
  deepStrictEqual(
    parseGenerationConfig({
      "guidance_scale": 1.5,
      "negative_prompt": "",
      temperature: 0,
      "top_k": 0,
      "top_p": 0.9,
      template: "base",
      examples: ["a red square"],
      "max_images": 2,
      "text_only": false,
      subjects: ["square"],
      "known_words": ["a", "red", "square"],
      "eos_token_id": [5, 7],
    }),
    {
      guidanceScale: 1.5,
      negativePrompt: "",
      temperature: 0,
      topK: 0,
      topP: 0.9,
      template: "base",
      examples: ["a red square"],
      maxImages: 2,
      textOnly: false,
      subjects: ["square"],
      knownWords: ["a", "red", "square"],
      endTokens: [5, 7],
    },
  );
});

const refused: Record<string, unknown>[] = [
  { guidance_scale: 0.5 },
  { negative_prompt: 3 },
  { temperature: -1 },
  { top_k: 1.5 },
  { top_p: 0 },
  { top_p: 1.1 },
  { template: "poem" },
  { examples: "one" },
  { max_images: 0 },
  { text_only: "yes" },
  { subjects: "one" },
  { known_words: "all" },
  { eos_token_id: "</s>" },
  { eos_token_id: [1.5] },
];

for (const json of refused) {
  const [field] = Object.keys(json);
  Deno.test(`parseGenerationConfig() names the field when it is ${Deno.inspect(json)}`, () => {
    throws(() => parseGenerationConfig(json), (error) => {
      return error instanceof SyntaxError &&
        new RegExp(`^field "${field}(\\.\\d+)?": `).test(error.message);
    });
  });
}

for (const json of [null, [], "x"]) {
  Deno.test(`parseGenerationConfig() refuses ${JSON.stringify(json)}`, () => {
    throws(() => parseGenerationConfig(json), SyntaxError);
  });
}
