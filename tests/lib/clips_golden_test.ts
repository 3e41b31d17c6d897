/** Greedy clips of the references, token for token. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { rowsAsTokens } from "../../lib/drawing/token_layout.ts";
import { drawingLayout, drawingTokens } from "../../lib/drawing_prompt.ts";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import { writerFor } from "../../lib/prompt.ts";
import {
  caseParams,
  type ClipCase,
  clipCases,
  drawClips,
  framesOf,
} from "../support/clips.ts";
import { LANGUAGE_FOLDERS, openTinyLanguage } from "../support/tiny.ts";

const cases = clipCases();

/** Returns all tokens after the prompt, the end of the clip included. */
async function newTokens(
  { text, vocabulary }: LanguageModel,
  one: ClipCase,
): Promise<number[]> {
  const params = caseParams(one);
  const { eof, eoi, eos } = vocabulary;
  const writer = writerFor({ text, vocabulary }, {
    caller: undefined,
    signal: new AbortController().signal,
  });
  const layout = await drawingLayout(writer, params);
  const drawn = rowsAsTokens(
    layout,
    framesOf(one),
    vocabulary,
    params.prefix?.height ?? 0,
  );
  // Without what would open a next frame.
  const codes = drawn.slice(0, drawn.length - layout.afterFrame.length);
  // The reference ends an interleaved clip with its last code.
  if (one.mode === "interleaved") return [...codes];
  return [...codes, eof, eoi, eos];
}

for (const folder of LANGUAGE_FOLDERS) {
  Deno.test(`The prompts of clips of ${folder} are those of the references`, async () => {
    await using tiny = await openTinyLanguage(folder);
    for (const [name, one] of cases) {
      const { tokens, unconditional } = await drawingTokens(
        tiny.model,
        caseParams(one),
      );
      deepStrictEqual([...tokens], one.prompt_ids, name);
      const negative = unconditional === undefined ? null : [...unconditional];
      deepStrictEqual(negative, one.negative_ids, name);
    }
  });

  Deno.test(`The layouts of clips of ${folder} force the tokens of the references`, async () => {
    await using tiny = await openTinyLanguage(folder);
    for (const [name, one] of cases) {
      // The reference's constraint looks for the end of a frame first: after
      // frames of a single code it expects EOF in place of EOS.
      const single = one.mode === "whole" && one.height * one.width === 1;
      const { eof } = tiny.model.vocabulary;
      const tokens = await newTokens(tiny.model, one);
      deepStrictEqual(
        single ? tokens.with(-1, eof) : tokens,
        one.new_ids,
        name,
      );
    }
  });

  Deno.test(`draw() of ${folder} reproduces the greedy clips of the references, code for code`, async () => {
    await using tiny = await openTinyLanguage(folder);
    // Concurrently, since results must not depend on the batch.
    await Promise.all(Array.from(cases, async ([name, one]) => {
      const { grids } = await drawClips(tiny.model, caseParams(one));
      deepStrictEqual([...grids[0]!.codes], one.codes, name);
    }));
  });
}

Deno.test("jacobi reproduces the greedy clips of the references in as many forward passes or fewer", async () => {
  await using tiny = await openTinyLanguage();
  for (const [name, one] of cases) {
    const params = caseParams(one);
    const plain = await drawClips(tiny.model, params);
    const strategy = strategyOf("jacobi");
    const jacobi = await drawClips(tiny.model, { ...params, strategy });
    deepStrictEqual([...jacobi.grids[0]!.codes], one.codes, name);
    ok(jacobi.forwards <= plain.forwards, `${name}: ${jacobi.forwards}`);
  }
});

Deno.test("The references' extensions of a greedy whole clip are the rest of it", () => {
  let compared = 0;
  for (const [name, one] of cases) {
    if (one.given === null || one.mode === "interleaved") continue;
    const same = cases.values().find((other) =>
      other.given === null && other.meta === one.meta &&
      other.prompt === one.prompt && `${other.codes}`.startsWith(`${one.given}`)
    );
    if (same === undefined) continue;
    deepStrictEqual(one.codes, same.codes, name);
    compared++;
  }
  strictEqual(compared, 4);
});
