import { strictEqual, throws } from "node:assert/strict";
import { readTokenizerJson } from "../../../lib/text/tokenizer_json.ts";
import { tinyJson } from "../../support/golden_text.ts";

interface Json {
  readonly model: Record<string, unknown>;
  readonly "added_tokens": Record<string, unknown>[];
}

const tiny: Json = JSON.parse(new TextDecoder().decode(tinyJson().bytes));
const tinyVocab: Record<string, number> = { ...tiny.model["vocab"] ?? {} };

function bytesOf(json: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json));
}

function withModel(change: Record<string, unknown>): unknown {
  return { ...tiny, model: { ...tiny.model, ...change } };
}

function withoutToken(absent: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(tinyVocab).filter(([token]) => token !== absent),
  );
}

Deno.test("readTokenizerJson() ends text where special tokens start", () => {
  const { table, specials } = readTokenizerJson(bytesOf(tiny));
  strictEqual(table.ends.length, 1024);
  strictEqual(specials.size, tiny["added_tokens"].length);
  strictEqual(specials.get("<image>"), 1027);
});

Deno.test("readTokenizerJson() reads a token called __proto__ like any other", () => {
  // A vocabulary may contain this name, which a plain object would lose.
  const json = JSON.stringify(
    withModel({
      vocab: { ...withoutToken("Ġthe"), "PROTO": tinyVocab["Ġthe"] },
    }),
  ).replace("PROTO", "__proto__");
  const { table } = readTokenizerJson(new TextEncoder().encode(json));
  strictEqual(table.ends.length, 1024);
});

const broken: Record<string, [unknown, RegExp]> = {
  "it is a list": [[], /the file is not an object/],
  "it has no model": [
    { ...tiny, model: undefined },
    /"model" is not an object/,
  ],
  "the model is another": [
    withModel({ type: "Unigram" }),
    /"model.type" is not BPE/,
  ],
  "there are no merges": [
    withModel({ merges: {} }),
    /"model.merges" is not a list/,
  ],
  "there are no tokens": [
    withModel({ vocab: null }),
    /"model.vocab" is not an object/,
  ],
  "nothing is special": [
    { ...tiny, "added_tokens": [] },
    /lists no special token/,
  ],
  "a special token has no name": [
    { ...tiny, "added_tokens": [{ id: 1024 }] },
    /has no "content"/,
  ],
  "an id is no whole number": [
    withModel({ vocab: { ...tinyVocab, "!": 0.5 } }),
    /not a whole number/,
  ],
  "a token is missing": [
    withModel({ vocab: withoutToken("Ġthe") }),
    /token \d+ is missing/,
  ],
  "a token is not spelled in bytes": [
    withModel({ vocab: { ...withoutToken("Ġthe"), "漢": tinyVocab["Ġthe"] } }),
    /does not consist of byte characters/,
  ],
  "a byte has no token": [
    withModel({ vocab: { ...withoutToken("!"), "!!!!": 0 } }),
    /the single byte 33 has no token/,
  ],
};

for (const [what, [json, message]] of Object.entries(broken)) {
  Deno.test(`readTokenizerJson() refuses a file when ${what}`, () => {
    throws(() => readTokenizerJson(bytesOf(json)), {
      name: "SyntaxError",
      message,
    });
  });
}

Deno.test("readTokenizerJson() refuses a file that is no JSON", () => {
  throws(() => readTokenizerJson(new TextEncoder().encode("{")), SyntaxError);
});
