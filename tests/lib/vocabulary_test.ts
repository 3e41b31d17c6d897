import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { CheckpointError } from "../../lib/errors.ts";
import {
  EMU3_SPECIAL_NAMES,
  originalSpecials,
} from "../../lib/special_tokens.ts";
import type { SpecialTokens } from "../../lib/special_tokens.ts";
import {
  checkTokenIds,
  codeFromToken,
  isCode,
  tokenFromCode,
  vocabularyFromSpecials,
} from "../../lib/vocabulary.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";
import { goldenText, tinyJson, visionTokens } from "../support/golden_text.ts";

const TINY_TEXT_SIZE = 1024;
const TINY_SIZE = 1747;

const TINY_VISION_TOKENS = goldenText("emu3-tiny.emu3_vision_tokens.txt");

function specialsFrom(names: readonly string[], first: number): SpecialTokens {
  return new Map(names.map((name, i) => [name, first + i]));
}

function tinyVocabulary(specials: SpecialTokens): Vocabulary {
  return vocabularyFromSpecials(specials, {
    names: EMU3_SPECIAL_NAMES,
    textSize: TINY_TEXT_SIZE,
    size: TINY_SIZE,
    file: "emu3-tiny",
  });
}

const tinySpecials = specialsFrom(
  originalSpecials(TINY_VISION_TOKENS),
  TINY_TEXT_SIZE,
);
const tiny = tinyVocabulary(tinySpecials);

Deno.test("vocabularyFromSpecials() returns the published ids for the published tokens", () => {
  const textSize = 151_643;
  const specials = originalSpecials(visionTokens());
  const vocabulary = vocabularyFromSpecials(specialsFrom(specials, textSize), {
    names: EMU3_SPECIAL_NAMES,
    textSize,
    size: 184_622,
    file: "emu3",
  });
  deepStrictEqual(vocabulary, {
    size: 184_622,
    textSize,
    firstCode: 151_854,
    codebookSize: 32_768,
    pad: 151_643,
    bos: 151_849,
    eos: 151_850,
    img: 151_851,
    boi: 151_852,
    eoi: 151_853,
    eol: 151_846,
    eof: 151_847,
  });
});

Deno.test("vocabularyFromSpecials() returns the same from either layout", () => {
  const json: { vocabulary_map: Record<string, number> } = JSON.parse(
    goldenText("emu3-tiny-hf.config.json"),
  );
  const mapped = new Map(
    Object.entries(json.vocabulary_map).filter(([, id]) =>
      id >= TINY_TEXT_SIZE
    ),
  );
  strictEqual(mapped.size, tinySpecials.size);
  deepStrictEqual(tinyVocabulary(mapped), tiny);

  const { added_tokens: added }: {
    added_tokens: { content: string; id: number }[];
  } = JSON.parse(new TextDecoder().decode(tinyJson().bytes));
  deepStrictEqual(
    tinyVocabulary(new Map(added.map(({ content, id }) => [content, id]))),
    tiny,
  );
});

Deno.test("vocabularyFromSpecials() finds the codes in any order of listing", () => {
  const reversed = new Map([...tinySpecials].reverse());
  deepStrictEqual(tinyVocabulary(reversed), tiny);
});

const firstCode = "<|visual token 000000|>";
const lastCode = "<|visual token 000511|>";

const broken: Record<string, [SpecialTokens, RegExp]> = {
  "a part is played by no token": [
    without("<|image start|>"),
    /token "<\|image start\|>" is missing/,
  ],
  "the first code is missing": [without(firstCode), /not consecutive/],
  "a code lies elsewhere": [
    new Map([...tinySpecials, [lastCode, TINY_TEXT_SIZE]]),
    /not consecutive/,
  ],
  "there are no codes": [
    new Map([...tinySpecials].filter(([name]) => !name.includes("visual"))),
    /no tokens for codes/,
  ],
  "an id is one of text": [
    new Map([...tinySpecials, [lastCode, 5]]),
    /has id 5, outside the range of special tokens, 1024…1746/,
  ],
  "an id is outside of the vocabulary": [
    new Map([...tinySpecials, ["<|more|>", TINY_SIZE]]),
    /has id 1747/,
  ],
};

function without(absent: string): SpecialTokens {
  return new Map([...tinySpecials].filter(([name]) => name !== absent));
}

for (const [what, [specials, message]] of Object.entries(broken)) {
  Deno.test(`vocabularyFromSpecials() refuses a checkpoint when ${what}`, () => {
    throws(() => tinyVocabulary(specials), (error) => {
      return error instanceof CheckpointError && message.test(error.message);
    });
  });
}

Deno.test("checkTokenIds() accepts a configuration that agrees or omits ids", () => {
  checkTokenIds(tiny, {}, "config.json");
  checkTokenIds(tiny, {
    "bos_token_id": tiny.bos,
    "eos_token_id": [7, tiny.eos],
    "pad_token_id": null,
    "eol_token_id": tiny.eol,
  }, "config.json");
});

Deno.test("checkTokenIds() names file and key when a configuration disagrees", () => {
  throws(
    () => checkTokenIds(tiny, { "eol_token_id": 3 }, "config.json"),
    new CheckpointError(
      "config.json",
      `"eol_token_id" is 3, but the tokenizer's files have ${tiny.eol}`,
    ),
  );
});

Deno.test("codeFromToken() inverts tokenFromCode()", () => {
  fc.assert(fc.property(fc.nat(tiny.codebookSize - 1), (code) => {
    const token = tokenFromCode(tiny, code);
    return isCode(tiny, token) && codeFromToken(tiny, token) === code;
  }));
});

Deno.test("tokenFromCode() and codeFromToken() refuse values out of range", () => {
  for (const code of [-1, tiny.codebookSize]) {
    throws(() => tokenFromCode(tiny, code), RangeError);
    strictEqual(isCode(tiny, tiny.firstCode + code), false);
    throws(() => codeFromToken(tiny, tiny.firstCode + code), RangeError);
  }
});
