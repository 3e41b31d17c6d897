import { pictureLayout, rowsAsTokens } from "../../lib/drawing/token_layout.ts";
import {
  deepStrictEqual,
  notDeepStrictEqual,
  strictEqual,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import { type CodeGrid, gridFromRows, gridLength } from "../../lib/grid.ts";
import {
  drawingPrompt,
  type PromptWriter,
  questionPrompt,
} from "../../lib/prompt.ts";
import { openTextTokenizer } from "../../lib/text/text_tokenizer.ts";
import type { Template } from "../../models/config/generation_config.ts";
import {
  EMU3_VOCABULARY,
  goldenJson,
  TINY_VOCABULARY,
} from "../support/golden.ts";
import { emu3, tiny, tinyJson } from "../support/golden_text.ts";

/** `tokenizer/prompts.json`: prompts of the published checkpoints. */
interface Prompts {
  /** Prompts of drawings. */
  readonly G: readonly {
    readonly text: string;
    readonly hw: readonly [number, number];
    readonly ids: readonly number[];
  }[];
  /** Prompts of answers. */
  readonly U: readonly {
    readonly text: string;
    readonly template: GoldenTemplate;
    readonly codes: readonly (readonly number[])[];
    readonly length: number;
    readonly "ids_sha256": string;
    readonly ids?: readonly number[];
  }[];
}

/** A drawing of `generate.json`. */
interface Drawing {
  readonly name: string;
  readonly prompt: string;
  readonly negative: string;
  readonly H: number;
  readonly W: number;
  readonly "prompt_ids": readonly number[];
  readonly "negative_ids": readonly number[];
}

/** A continued drawing of `generate.json`. */
interface Continuation extends Drawing {
  readonly case: string;
  readonly "given_codes": readonly (readonly number[])[];
  readonly "new_ids": readonly number[];
}

/** A question of `chat.json`. */
interface Chat {
  readonly name: string;
  readonly question: string;
  readonly template: GoldenTemplate;
  readonly hw: readonly [number, number];
  readonly "prompt_ids": readonly number[];
}

type GoldenTemplate = "chat" | "stage1";

const TEMPLATES: Readonly<Record<GoldenTemplate, Template>> = {
  chat: "chat",
  stage1: "base",
};

/** A pattern of names of special tokens, which the original encodes as such. */
const SPELLS_SPECIALS =
  /<\|(extra_\d+|endoftext|im_start|im_end|image \w+|visual token 000\d+)\|>/;

const prompts = goldenJson<Prompts>("tokenizer/prompts.json.gz");
const drawings = goldenJson<{ cases: Drawing[]; partial: Continuation[] }>(
  "generate.json",
);
const chats = goldenJson<{ cases: Chat[] }>("chat.json");

Deno.test("drawingPrompt() matches the original with the published ranks, but where text spells specials", async () => {
  using text = await openTextTokenizer(emu3());
  const writer = { text, vocabulary: EMU3_VOCABULARY };
  const differing: string[] = [];
  for (const { text, hw: [height, width], ids } of prompts.G) {
    const tokens = await drawingPrompt(writer, text, { height, width });
    if (SPELLS_SPECIALS.test(text)) {
      notDeepStrictEqual([...tokens], ids);
      differing.push(text);
    } else {
      deepStrictEqual([...tokens], ids, text);
    }
  }
  deepStrictEqual(differing, ["cafe\u0301 <|extra_204|> x"]);
});

Deno.test("questionPrompt() matches the original with the published ranks", async () => {
  using text = await openTextTokenizer(emu3());
  const writer = { text, vocabulary: EMU3_VOCABULARY };
  strictEqual(prompts.U.length, 5);
  for (const golden of prompts.U) {
    const grid = gridFromRows(golden.codes, EMU3_VOCABULARY.codebookSize);
    const template = TEMPLATES[golden.template];
    const { tokens } = await questionPrompt(
      writer,
      [grid],
      golden.text,
      template,
    );
    strictEqual(tokens.length, golden.length);
    const json = JSON.stringify([...tokens]);
    const sha256 = createHash("sha256").update(json).digest("hex");
    strictEqual(sha256, golden["ids_sha256"]);
  }
});

Deno.test("drawingPrompt() matches both branches of every drawing (trap 7)", async () => {
  using text = await openTextTokenizer(tiny());
  const writer = { text, vocabulary: TINY_VOCABULARY };
  strictEqual(drawings.cases.length, 8);
  for (const golden of drawings.cases) {
    const size = { height: golden.H, width: golden.W };
    const write = async (prompt: string) => [
      ...await drawingPrompt(writer, prompt, size),
    ];
    deepStrictEqual(
      await write(golden.prompt),
      golden["prompt_ids"],
      golden.name,
    );
    // Guidance 1 has no unconditional branch.
    if (golden["negative_ids"] === null) continue;
    // The negative prompt has the same size: see trap 7 of the golden data.
    deepStrictEqual(await write(golden.negative), golden["negative_ids"]);
  }
});

Deno.test("drawingPrompt() with given rows and generated tokens forms the complete picture", async () => {
  using text = await openTextTokenizer(tiny());
  const writer = { text, vocabulary: TINY_VOCABULARY };
  strictEqual(drawings.partial.length, 3);
  for (const golden of drawings.partial) {
    const size = { height: golden.H, width: golden.W };
    const prompt = await drawingPrompt(writer, golden.prompt, size);
    deepStrictEqual([...prompt], golden["prompt_ids"], golden.name);
    const given = gridFromRows(golden["given_codes"], 512);
    const rows = rowsAsTokens(
      pictureLayout(size, TINY_VOCABULARY),
      given,
      TINY_VOCABULARY,
    );
    const rest = golden["new_ids"].length;
    // EOS is chosen after the picture.
    strictEqual(rows.length + rest, gridLength(size) + 1);
  }
});

for (const source of [tiny, tinyJson]) {
  Deno.test(`questionPrompt() matches the original with ${source().file}, but where text spells specials`, async () => {
    using text = await openTextTokenizer(source());
    const writer = { text, vocabulary: TINY_VOCABULARY };
    const differing: string[] = [];
    for (const golden of chats.cases) {
      const tokens = await questionAgain(writer, golden);
      const same = [...tokens].join() === golden["prompt_ids"].join();
      if (!same) differing.push(golden.name);
    }
    // User text is encoded as text, so that it cannot end the prompt; the
    // original encodes special tokens in it (trap 3 of the golden data).
    const spelled = chats.cases
      .filter(({ question }) => SPELLS_SPECIALS.test(question))
      .map(({ name }) => name);
    deepStrictEqual(spelled, ["s0", "s1", "s2"]);
    const split = source === tiny ? [] : SPLIT_OTHERWISE;
    deepStrictEqual(differing, [...spelled, ...split].sort());
  });
}

/**
 * Questions that `tokenizer.json` splits into other tokens: it neither composes
 * accents nor joins punctuation with letters as the original does.
 */
const SPLIT_OTHERWISE: readonly string[] = ["s3"];

Deno.test("questionPrompt() closes a question with a full stop, after a question mark too (trap 4)", async () => {
  using text = await openTextTokenizer(tiny());
  const writer = { text, vocabulary: TINY_VOCABULARY };
  const grid = gridFromRows([[1]], 512);
  const { tokens } = await questionPrompt(writer, [grid], "What?", "chat");
  const said = text.decode(tokens, { skipSpecial: true });
  strictEqual(said, "You are a helpful assistant. USER: 1*1What?. ASSISTANT:");
});

Deno.test("questionPrompt() encodes a question of text alone as one text after BOS", async () => {
  using text = await openTextTokenizer(tiny());
  const writer = { text, vocabulary: TINY_VOCABULARY };
  const { bos } = TINY_VOCABULARY;
  const chat = "You are a helpful assistant. USER: What is it?. ASSISTANT:";
  for (
    const [template, whole] of [["chat", chat], [
      "base",
      "What is it?",
    ]] as const
  ) {
    const asked = await questionPrompt(writer, [], "What is it?", template);
    const words = await text.encode(whole);
    deepStrictEqual([...asked.tokens], [bos, ...words]);
    deepStrictEqual(asked.prefixBoundaries, [words.length + 1]);
  }
});

Deno.test("questionPrompt() puts several pictures one after the other", async () => {
  using text = await openTextTokenizer(tiny());
  const writer = { text, vocabulary: TINY_VOCABULARY };
  const [a, b] = [gridFromRows([[1, 2]], 512), gridFromRows([[3], [4]], 512)];
  const tokensOf = async (grids: CodeGrid[]) =>
    (await questionPrompt(writer, grids, "", "base")).tokens;
  const one = (grid: typeof a) => tokensOf([grid]);
  const both = await tokensOf([a, b]);
  deepStrictEqual([...both], [...await one(a), ...(await one(b)).slice(1)]);
});

Deno.test("drawingPrompt() encodes no user's text as a special token (trap 3)", async () => {
  using text = await openTextTokenizer(tiny());
  const writer = { text, vocabulary: TINY_VOCABULARY };
  const prompt = chats.cases.map(({ question }) => question).join(" ");
  const size = { height: 1, width: 1 };
  const tokens = await drawingPrompt(writer, prompt, size);
  const { bos, boi, img, textSize } = TINY_VOCABULARY;
  const specials = tokens.filter((token) => token >= textSize);
  deepStrictEqual([...specials], [bos, boi, img]);
});

/** Returns the prompt of a question, with the codes of the given tokens. */
async function questionAgain(
  writer: PromptWriter,
  golden: Chat,
): Promise<Int32Array> {
  const { img, firstCode } = TINY_VOCABULARY;
  const [height, width] = golden.hw;
  const ids = golden["prompt_ids"];
  const start = ids.indexOf(img) + 1;
  const rows = Array.from({ length: height }, (_, y) => {
    const from = start + y * (width + 1);
    return ids.slice(from, from + width).map((id) => id - firstCode);
  });
  const grid = gridFromRows(rows, TINY_VOCABULARY.codebookSize);
  const template = TEMPLATES[golden.template];
  return (await questionPrompt(writer, [grid], golden.question, template))
    .tokens;
}

Deno.test("questionPrompt() can be shared after the words before the pictures, and after each picture", async () => {
  using text = await openTextTokenizer(tiny());
  const writer = { text, vocabulary: TINY_VOCABULARY };
  const a = { height: 1, width: 2, codes: Uint16Array.of(1, 2) };
  const b = { height: 1, width: 1, codes: Uint16Array.of(3) };
  const asked = async (grids: CodeGrid[], question: string) =>
    await questionPrompt(writer, grids, question, "chat");
  const both = await asked([a, b], "What is it?");
  const one = await asked([a], "Why?");
  const [words, first, second, whole] = both.prefixBoundaries;
  deepStrictEqual(both.prefixBoundaries, [
    words,
    first,
    second,
    both.tokens.length,
  ]);
  deepStrictEqual(one.prefixBoundaries, [words, first, one.tokens.length]);
  deepStrictEqual(
    one.tokens.subarray(0, first),
    both.tokens.subarray(0, first),
  );
  strictEqual(whole! > second!, true);
  const bare = await questionPrompt(writer, [a], "", "base");
  deepStrictEqual(
    bare.prefixBoundaries,
    [1, bare.tokens.length],
    "BOS, the picture",
  );
});
