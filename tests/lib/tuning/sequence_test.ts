import { deepStrictEqual, rejects } from "node:assert/strict";
import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import { NO_LABEL, tuningSequence } from "../../../lib/tuning/sequence.ts";
import type { PromptWriter } from "../../../lib/prompt.ts";
import { EMU3_VOCABULARY } from "../../support/golden.ts";

/** A writer whose text tokens are the characters' codes. */
const writer: PromptWriter = {
  vocabulary: EMU3_VOCABULARY,
  text: {
    encode: (text) =>
      Promise.resolve(
        Int32Array.from([...text], (character) => character.codePointAt(0)!),
      ),
  },
};

const { bos, boi, img, eol, eof, eoi, eos, firstCode } = EMU3_VOCABULARY;
const none = NO_LABEL;
const record: PreparedRecord = {
  key: "a",
  text: "cat",
  height: 2,
  width: 3,
  codes: Int32Array.of(0, 7, 32_767, 4, 5, 6),
};
const options = {
  template: "base",
  maxTokens: 100,
  withoutText: false,
} as const;

/** Returns the characters' codes of a text. */
const text = (string: string) => [...string].map((c) => c.codePointAt(0)!);

const start = [boi, ...text("2*3"), img];
const codes = [0, 7, 32_767, 4, 5, 6].map((code) => firstCode + code);
const picture = [...codes.slice(0, 3), eol, ...codes.slice(3), eol, eof, eoi];

Deno.test("tuningSequence labels the codes of a picture alone", async () => {
  const sequence = await tuningSequence(writer, record, options);
  const prompt = [bos, ...text("cat"), ...start];
  deepStrictEqual([...sequence.tokens], [...prompt, ...picture]);
  deepStrictEqual([...sequence.labels], [
    ...prompt.map(() => none),
    ...codes.slice(0, 3),
    none,
    ...codes.slice(3),
    none,
    none,
    none,
  ]);
});

Deno.test("tuningSequence leaves the caption out if asked", async () => {
  const { tokens } = await tuningSequence(writer, record, {
    ...options,
    withoutText: true,
  });
  deepStrictEqual([...tokens], [bos, ...start, ...picture]);
});

Deno.test("tuningSequence labels the answer of a question and EOS", async () => {
  const asked = { ...record, question: "Why?", answer: "So" };
  const base = await tuningSequence(writer, asked, options);
  const prompt = [bos, ...start, ...picture, ...text("Why?")];
  deepStrictEqual([...base.tokens], [...prompt, ...text("So"), eos]);
  deepStrictEqual([...base.labels], [
    ...prompt.map(() => none),
    ...text("So"),
    eos,
  ]);
  const chat = await tuningSequence(writer, asked, {
    ...options,
    template: "chat",
  });
  deepStrictEqual([...chat.tokens], [
    bos,
    ...text("You are a helpful assistant. USER: "),
    ...start,
    ...picture,
    ...text("Why?. ASSISTANT:"),
    ...text(" So"),
    eos,
  ]);
  deepStrictEqual([...chat.labels.filter((label) => label !== none)], [
    ...text(" So"),
    eos,
  ]);
});

Deno.test("tuningSequence rejects records that cannot be learned", async () => {
  const cases: readonly (readonly [PreparedRecord, RegExp, number?])[] = [
    [record, /record "a" has 19 tokens, 2 over the limit of 17/, 17],
    [{ ...record, width: 2 }, /has 6 codes, its size of 2×2 asks for 4/],
    [{ ...record, codes: new Int32Array(0), height: 0 }, /has 0 codes/],
    [
      { ...record, codes: new Int32Array(6).fill(32_768) },
      /prepared with another vision tokenizer/,
    ],
    [{ ...record, question: "Why?" }, /a question and no answer/],
    [{ ...record, question: "Why?", answer: "" }, /no answer/],
  ];
  for (const [bad, message, maxTokens = 100] of cases) {
    await rejects(
      tuningSequence(writer, bad, { ...options, maxTokens }),
      message,
    );
  }
});
