// deno-lint-ignore-file camelcase -- golden data keeps the names of its source
import { deepStrictEqual, ok } from "node:assert/strict";
import { EMBEDDED_MODEL } from "../../../functions/variables.ts";
import type { ResumeState } from "../../../lib/drawing/resume_state.ts";
import { type Strategy, strategyOf } from "../../../lib/drawing/strategy.ts";
import { draw, type GenerationParams } from "../../../lib/emu3.ts";
import type { CodeGrid } from "../../../lib/grid.ts";
import type { LanguageModel } from "../../../lib/language_model.ts";
import { PUBLISHED_NEGATIVE_PROMPT } from "../../../models/config/generation_config.ts";
import { goldenJson } from "../../support/golden.ts";
import { openTinyLanguage } from "../../support/tiny.ts";

/** A greedy picture of the reference; `partial` ones continue given rows. */
interface DrawnCase {
  readonly name: string;
  readonly prompt: string;
  readonly guidance: number;
  readonly negative?: string | null;
  readonly H: number;
  readonly W: number;
  readonly codes: number[][];
  readonly given_codes?: number[][];
}

const golden = goldenJson<{ cases: DrawnCase[]; partial: DrawnCase[] }>(
  "generate.json",
);
const NEVER = new AbortController().signal;
const GREEDY = { temperature: 0, topK: 0, topP: 1 };

function sceneOf(drawn: DrawnCase, strategy: Strategy): GenerationParams {
  const { given_codes: given } = drawn;
  return {
    prompt: drawn.prompt,
    negativePrompt: drawn.negative ?? PUBLISHED_NEGATIVE_PROMPT,
    guidanceScale: drawn.guidance,
    size: { height: drawn.H, width: drawn.W },
    prefix: given && {
      height: given.length,
      width: drawn.W,
      codes: Uint16Array.from(given.flat()),
    },
    strategy,
    sampling: GREEDY,
    seed: 0,
    count: 1,
    logprobs: 2,
  };
}

/** Draws a picture; returns its codes, their scores and the statistics. */
async function drawn(model: LanguageModel, scene: GenerationParams) {
  const events = await Array.fromAsync(draw(model, scene, NEVER));
  const rows = events.filter((event) => event.type === "row");
  const grid = events.find((event) => event.type === "grid")!.grid;
  const end = events.find((event) => event.type === "finished")!;
  return {
    codes: [...grid.codes],
    scores: rows.flatMap(({ row: { scores } }) => [...scores]),
    forwards: end.statistics.forwards,
  };
}

for (const window of [4, 16]) {
  Deno.test(`jacobi with a window of ${window} reproduces the greedy pictures of the reference, code for code`, async () => {
    await using tiny = await openTinyLanguage();
    const strategy = { name: "jacobi", window } as const;
    for (const one of [...golden.cases, ...golden.partial]) {
      const { codes } = await drawn(tiny.model, sceneOf(one, strategy));
      deepStrictEqual(codes, one.codes.flat(), one.name);
    }
  });
}

Deno.test("ZiparDrawing with a window as wide as the picture draws the reference's greedy pictures", async () => {
  await using tiny = await openTinyLanguage();
  for (const one of [...golden.cases, ...golden.partial]) {
    const strategy = { name: "zipar", window: one.W } as const;
    const { codes } = await drawn(tiny.model, sceneOf(one, strategy));
    deepStrictEqual(codes, one.codes.flat(), one.name);
  }
});

Deno.test("JacobiDrawing draws the embedded model's greedy picture in a third of the forward passes, with the same scores", async () => {
  await using mini = await openTinyLanguage("emu3-mini", {
    folder: EMBEDDED_MODEL,
  });
  const scene = (strategy: Strategy): GenerationParams => ({
    // The two most probable codes differ by at least a fifth of a nat.
    prompt: "a star on green",
    negativePrompt: "",
    guidanceScale: 2,
    size: { height: 16, width: 16 },
    prefix: undefined,
    strategy,
    sampling: GREEDY,
    seed: 0,
    count: 1,
    logprobs: 2,
  });
  const plain = await drawn(mini.model, scene({ name: "autoregressive" }));
  const jacobi = await drawn(mini.model, scene({ name: "jacobi", window: 16 }));
  deepStrictEqual(jacobi.codes, plain.codes);
  ok(3 * jacobi.forwards < plain.forwards, `${jacobi.forwards}`);
  for (const [at, { logprob, entropy }] of plain.scores.entries()) {
    const other = jacobi.scores[at]!;
    ok(Math.abs(other.logprob - logprob) < 1e-3, `logprob at ${at}`);
    ok(Math.abs(other.entropy - entropy) < 1e-3, `entropy at ${at}`);
  }
});

for (const strategy of [strategyOf("autoregressive"), strategyOf("jacobi")]) {
  Deno.test(`${strategy.name} resumes a stopped picture bit for bit`, async () => {
    await using mini = await openTinyLanguage("", { folder: EMBEDDED_MODEL });
    const scene: GenerationParams = {
      prompt: "a rocket above a tree",
      negativePrompt: PUBLISHED_NEGATIVE_PROMPT,
      guidanceScale: 3,
      size: { height: 16, width: 16 },
      prefix: undefined,
      strategy,
      sampling: { temperature: 1, topK: 2048, topP: 1 },
      seed: 6,
      count: 1,
      logprobs: 0,
    };
    const resumeStates: (ResumeState | undefined)[] = [];
    let whole: CodeGrid | undefined;
    for await (const event of draw(mini.model, scene, NEVER)) {
      if (event.type === "row") {
        resumeStates.push(structuredClone(event.resumeState()));
      }
      if (event.type === "grid") whole = event.grid;
    }
    for (const row of [0, 6, 11, 15]) {
      const resumeState = resumeStates[row];
      ok(
        resumeState !== undefined && resumeState.codes.length >= 16 * (row + 1),
      );
      const rest = draw(mini.model, scene, NEVER, [resumeState]);
      const events = await Array.fromAsync(rest);
      const grid = events.find((event) => event.type === "grid")!.grid;
      deepStrictEqual(grid, whole, `from row ${row}`);
      const rows = events.filter((event) => event.type === "row");
      deepStrictEqual(rows.map(({ row }) => row.index), [
        ...Array(16).keys(),
      ]);
    }
  });
}
