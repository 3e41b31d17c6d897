/** Kept codes, with a real decoder. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type KeptCodes, keptPrefix } from "../../lib/drawing/kept_codes.ts";
import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import { draw, type GenerationParams } from "../../lib/emu3.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import { openTinyLanguage } from "../support/tiny.ts";

const NEVER = new AbortController().signal;
const LOSSLESS = ["autoregressive", "jacobi"] as const;

const scene: GenerationParams = {
  prompt: "a fox",
  negativePrompt: "blurry",
  guidanceScale: 2,
  size: { height: 6, width: 7 },
  prefix: undefined,
  strategy: strategyOf("autoregressive"),
  sampling: { temperature: 0, topK: 0, topP: 1 },
  seed: 3,
  count: 1,
  logprobs: 0,
};

/** Masks by rows: a dot is drawn. */
const MASKS = [
  "kkkkkkk kkkkkkk kk...kk kk...kk kkkkkkk kkkkkkk",
  ".kkkkkk kkkkkkk kkkkkkk kkkkkkk kkkkkkk kkkkkk.",
  "k.k.k.k .k.k.k. k.k.k.k .k.k.k. k.k.k.k .k.k.k.",
  "....... ....... kkkkkkk kkkkkkk kkkkkkk .......",
  "....... ....... ....... ....... ....... .......",
];

function keptOf(grid: CodeGrid, mask: string): KeptCodes {
  const marks = [...mask.replaceAll(" ", "")];
  return { ...grid, kept: Uint8Array.from(marks, (k) => k === "k" ? 1 : 0) };
}

interface Drawn {
  readonly grid: CodeGrid;
  readonly forwards: number;
  readonly resumeStates: readonly (ResumeState | undefined)[];
}

async function drawn(
  model: LanguageModel,
  scene: GenerationParams,
  resumeState?: ResumeState,
): Promise<Drawn> {
  const resumeStates: (ResumeState | undefined)[] = [];
  let grid: CodeGrid | undefined;
  let forwards = 0;
  for await (const event of draw(model, scene, NEVER, [resumeState])) {
    if (event.type === "row") {
      resumeStates.push(structuredClone(event.resumeState()));
    }
    if (event.type === "grid") grid = structuredClone(event.grid);
    if (event.type === "finished") forwards = event.statistics.forwards;
  }
  return { grid: grid!, forwards, resumeStates };
}

Deno.test("draw() restores a masked greedy picture for any mask", async () => {
  await using tiny = await openTinyLanguage("emu3-tiny", { chunkLength: 256 });
  const whole = await drawn(tiny.model, scene);
  for (const name of LOSSLESS) {
    for (const mask of MASKS) {
      const keep = keptOf(whole.grid, mask);
      const again = await drawn(tiny.model, {
        ...scene,
        keep,
        prefix: keptPrefix(keep),
        strategy: strategyOf(name),
      });
      deepStrictEqual(again.grid, whole.grid, `${name}: ${mask}`);
      ok(again.forwards <= whole.forwards, `${again.forwards} forwards`);
    }
  }
});

Deno.test("draw() around kept codes resumes from any row as if it had not stopped", async () => {
  await using tiny = await openTinyLanguage("emu3-tiny", { chunkLength: 256 });
  const other = await drawn(tiny.model, { ...scene, prompt: "a house" });
  const sampling = { temperature: 1, topK: 0, topP: 1 };
  for (const name of LOSSLESS) {
    for (const mask of MASKS) {
      const keep = keptOf(other.grid, mask);
      const around = {
        ...scene,
        sampling,
        keep,
        prefix: keptPrefix(keep),
        strategy: strategyOf(name),
      };
      const whole = await drawn(tiny.model, around);
      for (const resumeState of whole.resumeStates) {
        const rest = await drawn(tiny.model, around, resumeState);
        deepStrictEqual(rest.grid, whole.grid, `${name}: ${mask}`);
      }
    }
  }
});

Deno.test("draw() takes fewer forward passes for kept codes than for drawn ones", async () => {
  await using tiny = await openTinyLanguage("emu3-tiny", { chunkLength: 256 });
  const unguided = { ...scene, guidanceScale: 1 };
  const whole = await drawn(tiny.model, unguided);
  const keep = keptOf(whole.grid, MASKS[0]!);
  const { forwards } = await drawn(tiny.model, {
    ...unguided,
    keep,
    prefix: keptPrefix(keep),
  });
  // One for the prompt with two rows, one for "kk", three for dots, the last of
  // which is appended with the four kept codes after it, two for dots; none
  // after the last dot.
  strictEqual(forwards, 7);
});
