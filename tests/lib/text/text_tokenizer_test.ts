import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { CheckpointError } from "../../../lib/errors.ts";
import { openTextTokenizer } from "../../../lib/text/text_tokenizer.ts";
import type { TextTokenizer } from "../../../lib/text/text_tokenizer.ts";
import { convertRanks } from "../../support/convert_ranks.ts";
import {
  decodeRows,
  emu3,
  textRows,
  tiny,
  tinyJson,
} from "../../support/golden_text.ts";
import type { TextRow } from "../../support/golden_text.ts";

/**
 * Fails with the first texts whose tokens differ from those that `expected`
 * picks.
 */
async function matchRows(
  tokenizer: TextTokenizer,
  rows: readonly TextRow[],
  { special, expected }: {
    special: boolean;
    expected: (row: TextRow) => readonly number[];
  },
): Promise<void> {
  const wrong = [];
  for (const row of rows) {
    const actual = Array.from(await tokenizer.encode(row.text, { special }));
    if (actual.join() !== expected(row).join()) {
      wrong.push({ text: row.text, actual, expected: expected(row) });
    }
  }
  deepStrictEqual(wrong.slice(0, 3), []);
}

Deno.test("encode() matches the original on 1,500 strings, special tokens included", async () => {
  using tokenizer = await openTextTokenizer(emu3());
  const rows = textRows("strings");
  strictEqual(rows.length, 1500);
  await matchRows(tokenizer, rows, { special: true, expected: (r) => r.ids });
});

Deno.test("encode() matches the original on 1,500 strings, special tokens as text", async () => {
  using tokenizer = await openTextTokenizer(emu3());
  await matchRows(tokenizer, textRows("strings"), {
    special: false,
    expected: (row) => row.ids_plain ?? row.ids,
  });
});

Deno.test("encode() matches transformers on 1,490 strings, given its tokenizer.json", async () => {
  using tokenizer = await openTextTokenizer(convertRanks(emu3()));
  // It refuses lone surrogates, which are read as U+FFFD here.
  const rows = textRows("strings").filter((row) => row.ids_hf !== null);
  strictEqual(rows.length, 1490);
  await matchRows(tokenizer, rows, {
    special: true,
    expected: (row) => row.ids_hf ?? row.ids,
  });
});

Deno.test("encode() matches the original on the tiny checkpoint's strings", async () => {
  using tokenizer = await openTextTokenizer(tiny());
  await matchRows(tokenizer, textRows("strings_tiny"), {
    special: true,
    expected: (row) => row.ids,
  });
});

Deno.test("encode() matches transformers on the tiny checkpoint's strings", async () => {
  using tokenizer = await openTextTokenizer(tinyJson());
  const rows = textRows("strings_tiny").filter((row) => row.ids_hf !== null);
  await matchRows(tokenizer, rows, {
    special: true,
    expected: (row) => row.ids_hf ?? row.ids,
  });
});

Deno.test("decode() matches the original on 206 token sequences", async () => {
  using tokenizer = await openTextTokenizer(emu3());
  const rows = decodeRows();
  strictEqual(rows.length, 206);
  for (const { ids, text, text_skip_special } of rows) {
    strictEqual(tokenizer.decode(ids, { skipSpecial: false }), text);
    strictEqual(
      tokenizer.decode(ids, { skipSpecial: true }),
      text_skip_special,
    );
  }
});

const SPECIAL_NAMES = [
  "<|endoftext|>",
  "<|extra_0|>",
  "<|extra_203|>",
  "<|image start|>",
  "<|visual token 000001|>",
  "<|visual token 999999|>",
  "<image>",
  "<|",
  "|>",
];

/** Returns text with names of special tokens in it; `unit` is the rest. */
function textWithSpecials(
  unit: fc.Arbitrary<string> | "binary",
): fc.Arbitrary<string> {
  const part = fc.oneof(
    fc.string({ unit }),
    fc.constantFrom(...SPECIAL_NAMES),
  );
  return fc.array(part).map((parts) => parts.join(""));
}

const codeUnit = fc.integer({ min: 0, max: 0xffff })
  .map((unit) => String.fromCharCode(unit));

for (
  const [layout, source] of [["original", tiny], [
    "transformers",
    tinyJson,
  ]] as const
) {
  Deno.test(`encode() yields special tokens for text only if requested, ${layout} layout`, async () => {
    using tokenizer = await openTextTokenizer(source());
    const property = fc.asyncProperty(
      textWithSpecials(codeUnit),
      async (text) => {
        const tokens = await tokenizer.encode(text);
        return tokens.every((token) => token < tokenizer.textSize);
      },
    );
    await fc.assert(property, { numRuns: 500 });
  });
}

Deno.test("decode() inverts encode() except for composing, original layout", async () => {
  using tokenizer = await openTextTokenizer(emu3());
  const property = fc.asyncProperty(
    textWithSpecials("binary"),
    fc.boolean(),
    async (text, special) => {
      const tokens = await tokenizer.encode(text, { special });
      strictEqual(
        tokenizer.decode(tokens, { skipSpecial: false }),
        text.normalize("NFC"),
      );
    },
  );
  await fc.assert(property, { numRuns: 500 });
});

Deno.test("decode() inverts encode(), transformers layout", async () => {
  using tokenizer = await openTextTokenizer(tinyJson());
  const property = fc.asyncProperty(
    textWithSpecials("binary"),
    fc.boolean(),
    async (text, special) => {
      const tokens = await tokenizer.encode(text, { special });
      strictEqual(tokenizer.decode(tokens, { skipSpecial: false }), text);
    },
  );
  await fc.assert(property, { numRuns: 500 });
});

Deno.test("encode() returns no tokens for no text", async () => {
  using tokenizer = await openTextTokenizer(tiny());
  deepStrictEqual(await tokenizer.encode(""), new Int32Array(0));
});

Deno.test("encode() returns to each caller its own tokens when many wait", async () => {
  using tokenizer = await openTextTokenizer(emu3());
  const texts = Array.from({ length: 50 }, (_, i) => `number ${i}`);
  const encoded = await Promise.all(
    texts.map((text) => tokenizer.encode(text)),
  );
  deepStrictEqual(
    encoded.map((tokens) => tokenizer.decode(tokens, { skipSpecial: true })),
    texts,
  );
});

Deno.test("encode() fails when the tokenizer is closed meanwhile", async () => {
  const tokenizer = await openTextTokenizer(emu3());
  const encoded = tokenizer.encode("too late");
  tokenizer[Symbol.dispose]();
  await rejects(encoded, /closed/);
  await rejects(tokenizer.encode("later still"), /closed/);
});

Deno.test("ready resolves when the encoder is built", async () => {
  using here = await openTextTokenizer(tiny());
  await here.ready;
  using elsewhere = await openTextTokenizer(emu3());
  await elsewhere.ready;
});

Deno.test("openTextTokenizer() names file and line of a broken rank file", async () => {
  const broken = (text: string) => ({
    ...tiny(),
    bytes: new TextEncoder().encode(text),
  });
  await rejects(
    openTextTokenizer(broken("IQ== 0\nIg== 2\n")),
    new CheckpointError(
      "emu3-tiny/emu3.tiktoken",
      "line 2 does not end with rank 1",
    ),
  );
});

Deno.test("openTextTokenizer() reports a broken file from its worker, too", async () => {
  const source = emu3();
  source.bytes[0] = "!".charCodeAt(0);
  await rejects(
    openTextTokenizer(source),
    new CheckpointError("emu3.tiktoken", "line 1 does not start with base64"),
  );
});

Deno.test("openTextTokenizer() adds tokens that only config.json lists", async () => {
  const json: { added_tokens: { content: string; id: number }[] } = JSON.parse(
    new TextDecoder().decode(tinyJson().bytes),
  );
  const code = /visual token/;
  const { added_tokens: all, ...rest } = json;
  const shortened = {
    ...rest,
    model: withoutCodes(rest),
    "added_tokens": all.filter(({ content }) => !code.test(content)),
  };
  using whole = await openTextTokenizer(tinyJson());
  using tokenizer = await openTextTokenizer({
    ...tinyJson(),
    bytes: new TextEncoder().encode(JSON.stringify(shortened)),
    specials: new Map([
      ["!", 0],
      ...all.filter(({ content }) => code.test(content))
        .map(({ content, id }): [string, number] => [content, id]),
    ]),
  });
  const byName = (a: [string, number], b: [string, number]) =>
    a[0] < b[0] ? -1 : 1;
  deepStrictEqual(
    [...tokenizer.specials].sort(byName),
    [...whole.specials].sort(byName),
  );
});

Deno.test("encode() serves callers in turn: one text waits for few of another caller's, however many these are", async () => {
  using tokenizer = await openTextTokenizer(emu3());
  await tokenizer.ready;
  const long = "a few words and more ".repeat(50);
  const done: string[] = [];
  const note = async (text: string, caller: string) => {
    await tokenizer.encode(text, { special: false, caller });
    done.push(caller);
  };
  await Promise.all([
    ...Array.from({ length: 40 }, () => note(long, "a")),
    note("short", "b"),
  ]);
  ok(done.indexOf("b") <= 2, `${done}`);
  const gone = AbortSignal.abort(new Error("gone"));
  await rejects(tokenizer.encode(long, { special: false, signal: gone }), {
    message: "gone",
  });
});

/** Returns the model of a tokenizer.json without the tokens of codes. */
function withoutCodes(json: object): object {
  const { model }: { model?: { vocab: Record<string, number> } } = json;
  const vocab = Object.entries(model?.vocab ?? {})
    .filter(([token]) => !token.includes("visual token"));
  return { ...model, vocab: Object.fromEntries(vocab) };
}

for (
  const [layout, source] of [
    ["original", tiny],
    ["transformers", tinyJson],
  ] as const
) {
  Deno.test(`encode() returns the same tokens in the calling thread and in the worker, ${layout} layout`, async () => {
    using tokenizer = await openTextTokenizer(source());
    // Lines are split from each other in either layout.
    const line = "Ein Fuchs, 狐狸, 🦊, e\u0301!\n";
    const one = await tokenizer.encode(line);
    const many = await tokenizer.encode(line.repeat(1000));
    deepStrictEqual(
      many,
      Int32Array.from(Array.from({ length: 1000 }, () => [...one]).flat()),
    );
  });
}
