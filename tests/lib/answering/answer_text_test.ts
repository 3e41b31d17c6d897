import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  AnswerText,
  writtenAnswer,
} from "../../../lib/answering/answer_text.ts";
import { TextStream } from "../../../lib/text/text_stream.ts";

const TEMPLATES = ["chat", "base"] as const;

/** Returns the texts that an answer of these bytes, one token each, streams. */
function said(
  text: string,
  template: typeof TEMPLATES[number],
  stop: readonly string[] = [],
): string[] {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const ends = Uint32Array.from({ length: 256 }, (_, byte) => byte + 1);
  const spellings = { table: { bytes, ends }, names: new Map() };
  const stream = new TextStream(spellings, { skipSpecial: true });
  const answer = new AnswerText(stream, { template, stop });
  const parts: string[] = [];
  for (const byte of new TextEncoder().encode(text)) {
    if (!answer.ended) parts.push(answer.push(byte));
  }
  return [...parts, answer.finish()];
}

Deno.test("AnswerText removes the template's space of a chat answer, once", () => {
  const text = fc.string({ unit: "grapheme" });
  fc.assert(fc.property(text, (text) => {
    strictEqual(said(` ${text}`, "chat").join(""), text);
    strictEqual(said(text, "base").join(""), text);
  }));
  strictEqual(said("  a cat", "chat").join(""), " a cat");
  strictEqual(said("a cat", "chat").join(""), "a cat");
  strictEqual(said("\na cat", "chat").join(""), "\na cat");
  strictEqual(said(" ", "chat").join(""), "");
});

Deno.test("AnswerText treats no part of a streamed answer as the template's space", () => {
  strictEqual(said(" é cat", "chat").find((part) => part !== ""), "é");
});

Deno.test("AnswerText ends before a stop, after the template's space", () => {
  strictEqual(said(" a cat\nand", "chat", ["\n"]).join(""), "a cat");
  strictEqual(said(" \n\nand", "chat", ["\n\n"]).join(""), "");
  // The template's space cannot be part of a stop.
  strictEqual(said(" a cat", "chat", [" "]).join(""), "a");
});

Deno.test("writtenAnswer() is the inverse of AnswerText", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1 })
    .filter((text) => !text.startsWith(" "));
  fc.assert(fc.property(
    text,
    fc.constantFrom(...TEMPLATES),
    (text, template) => {
      const written = writtenAnswer(text, template);
      strictEqual(said(written, template).join(""), text);
      strictEqual(writtenAnswer(written, template), written);
    },
  ));
  strictEqual(writtenAnswer("", "chat"), "");
});
