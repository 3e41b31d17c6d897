/**
 * The benchmark of strategies, in forwards and time per picture: `deno run -A
 * tests/bench/strategies.ts [mini | folder] [pictures] [threads]`.
 *
 * A forward is one draft fed and scored; prompts are not counted.
 *
 * @module
 */

import { draw, type GenerationParams } from "../../lib/emu3.ts";
import type { Strategy } from "../../lib/drawing/strategy.ts";
import type { Policy } from "../../lib/engine/policy.ts";
import {
  type LanguageModel,
  openLanguageModel,
} from "../../lib/language_model.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { EMBEDDED_MODEL } from "../../functions/variables.ts";

const WINDOWS = [4, 8, 16, 32, 64];
const ZIPAR_WINDOWS = [3, 5, 7];

const STRATEGIES: readonly Strategy[] = [
  { name: "autoregressive" },
  ...WINDOWS.map((window) => ({ name: "jacobi", window } as const)),
  ...ZIPAR_WINDOWS.map((window) => ({ name: "zipar", window } as const)),
];

/** Repetitions of a picture; the fastest counts. */
const REPEATS = 3;

/** Prompts of the pictures. */
const PROMPTS = [
  "a cat on a blue background",
  "three apples",
  "a rocket above a tree",
  "a pizza, a guitar and a robot on a pink background",
];

/** The mean cost of a picture with one strategy. */
interface Cost {
  forwards: number;
  seconds: number;
}

const [name = "mini", pictures = "8", threads = "1"] = Deno.args;
const folder = name === "mini" ? EMBEDDED_MODEL : name;
await using runtime = new Runtime({ threads: Number(threads) });
const checkpoint = await openLanguageCheckpoint(folder);
await using model = await openLanguageModel(runtime, checkpoint, {
  heads: ["codes"],
  slots: 2,
  cacheBytes: 2 ** 28,
  chunkLength: 256,
  queueLimit: 8,
  now: () => performance.now(),
});
const side = Math.sqrt(checkpoint.config.imageArea) / 8;

const settings = [0, 1].flatMap((temperature) =>
  [1, 3].map((guidanceScale) => ({ temperature, guidanceScale }))
).concat(model.generation);
const title = settings.map(({ temperature, guidanceScale }) =>
  `T ${temperature} g ${guidanceScale}`.padStart(18)
);
print(
  `${checkpoint.name}, ${side} × ${side}, forwards (and seconds) a picture`,
);
print(`${"".padEnd(16)}${title.join("")}`);
for (const strategy of STRATEGIES) {
  const label = strategy.name === "autoregressive"
    ? strategy.name
    : `${strategy.name} ${strategy.window}`;
  let line = label.padEnd(16);
  for (const { temperature, guidanceScale } of settings) {
    const { forwards, seconds } = await measure(strategy, {
      temperature,
      guidanceScale,
    });
    line += `${forwards.toFixed(1)} (${seconds.toFixed(2)})`.padStart(18);
  }
  print(line);
}

async function measure(
  strategy: Strategy,
  { temperature, guidanceScale }: typeof settings[number],
): Promise<Cost> {
  const total: Cost = { forwards: 0, seconds: 0 };
  // Greedy pictures differ by prompt alone.
  const count = temperature === 0
    ? Math.min(PROMPTS.length, Number(pictures))
    : Number(pictures);
  for (let index = 0; index < count; index++) {
    const { generation } = model;
    const scene: GenerationParams = {
      prompt: PROMPTS[index % PROMPTS.length]!,
      negativePrompt: generation.negativePrompt,
      guidanceScale,
      size: { height: side, width: side },
      prefix: undefined,
      strategy,
      sampling: { temperature, topK: generation.topK, topP: generation.topP },
      seed: index,
      count: 1,
      logprobs: 0,
    };
    const costs: Cost[] = [];
    for (let i = 0; i < REPEATS; i++) costs.push(await pictureCost(scene));
    total.forwards += costs[0]!.forwards / count;
    const best = Math.min(...costs.map(({ seconds }) => seconds));
    total.seconds += best / count;
  }
  return total;
}

async function pictureCost(scene: GenerationParams): Promise<Cost> {
  let forwards = 0;
  const counting: LanguageModel = {
    ...model,
    engine: {
      contextLength: model.engine.contextLength,
      state: model.engine.state,
      run: (request, signal) => {
        const policy: Policy = {
          head: request.policy.head,
          choose: (scored) => {
            const draft = request.policy.choose(scored);
            if (draft !== undefined) forwards++;
            return draft;
          },
        };
        return model.engine.run({ ...request, policy }, signal);
      },
    },
  };
  const { signal } = new AbortController();
  let seconds = 0;
  for await (const event of draw(counting, scene, signal)) {
    if (event.type === "finished") seconds = event.statistics.decodeMs / 1000;
  }
  return { forwards, seconds };
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
