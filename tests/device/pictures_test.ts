// deno-lint-ignore-file camelcase -- golden data keeps the names of its source
/**
 * The tests of images and captions on a device: they equal the reference's,
 * token for token in fp32; half floats diverge at the first near tie of a
 * random model, and then only have to end.
 *
 * @module
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type StrategyName, strategyOf } from "../../lib/drawing/strategy.ts";
import { AnsweringPolicy } from "../../lib/answering/answering.ts";
import { draw, type GenerationParams } from "../../lib/emu3.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import { PUBLISHED_NEGATIVE_PROMPT } from "../../models/config/generation_config.ts";
import { goldenJson } from "../support/golden.ts";
import { EXACT, openDeviceLanguage } from "./devices.ts";

const NEVER = new AbortController().signal;
const GREEDY = { temperature: 0, topK: 2048, topP: 1 };

/** A greedy image of the reference; `partial` ones continue given rows. */
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

/** A greedy caption of the reference. */
interface ChatCase {
  readonly question: string;
  readonly prompt_ids: number[];
  readonly answer_ids: number[];
  readonly max_new_tokens: number;
}

const pictures = goldenJson<{ cases: DrawnCase[]; partial: DrawnCase[] }>(
  "generate.json",
);
const chats = goldenJson<{ cases: ChatCase[] }>("chat.json");

function sceneOf(
  drawn: DrawnCase,
  strategy: StrategyName = "autoregressive",
): GenerationParams {
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
    strategy: strategyOf(strategy),
    sampling: GREEDY,
    seed: 0,
    count: 1,
    logprobs: 0,
  };
}

async function codesOf(
  model: LanguageModel,
  scene: GenerationParams,
): Promise<number[]> {
  const events = await Array.fromAsync(draw(model, scene, NEVER));
  return [...events.find((event) => event.type === "grid")!.grid.codes];
}

function assertCodes(actual: number[], { name, codes }: DrawnCase): void {
  strictEqual(actual.length, codes.flat().length);
  if (EXACT) deepStrictEqual(actual, codes.flat(), name);
}

Deno.test("draw() gives the reference's greedy images, several at once", async () => {
  await using device = await openDeviceLanguage();
  await Promise.all(
    [...pictures.cases, ...pictures.partial].map(async (drawn) =>
      assertCodes(await codesOf(device.model, sceneOf(drawn)), drawn)
    ),
  );
});

Deno.test("draw() gives the same with speculation", async () => {
  await using device = await openDeviceLanguage();
  for (const drawn of pictures.cases.slice(0, 2)) {
    const scene = sceneOf(drawn, "jacobi");
    assertCodes(await codesOf(device.model, scene), drawn);
  }
});

Deno.test("draw() draws every code by zipar, whose tokens have given positions", async () => {
  await using device = await openDeviceLanguage();
  for (const drawn of pictures.cases.slice(0, 2)) {
    const codes = await codesOf(device.model, sceneOf(drawn, "zipar"));
    strictEqual(codes.length, drawn.codes.flat().length);
  }
});

Deno.test("Captions equal the reference's, several at once", async () => {
  await using device = await openDeviceLanguage();
  const { engine, vocabulary } = device.model;
  await Promise.all(chats.cases.map(async (chat) => {
    const tokens: number[] = [];
    const policy = new AnsweringPolicy({
      eos: vocabulary.eos,
      maxTokens: chat.max_new_tokens,
      sampling: GREEDY,
      key: { seed: 0, stream: 0 },
    }, (token) => tokens.push(token));
    const prompt = {
      tokens: Int32Array.from(chat.prompt_ids),
      prefixBoundaries: [chat.prompt_ids.length],
    };
    await engine.run({
      prompts: [prompt],
      maxNewTokens: chat.max_new_tokens,
      long: false,
      policy,
    }, NEVER);
    const expected = chat.answer_ids.filter((id) => id !== vocabulary.eos);
    if (EXACT) deepStrictEqual(tokens, expected, chat.question);
    else ok(tokens.length > 0);
  }));
});

Deno.test("A canceled image leaves the others and the device unchanged", async () => {
  await using device = await openDeviceLanguage();
  const [drawn] = pictures.cases as [DrawnCase];
  const abort = new AbortController();
  const cancelled = (async () => {
    const size = { height: 32, width: 32 };
    const scene = { ...sceneOf(drawn), size };
    for await (const { type } of draw(device.model, scene, abort.signal)) {
      if (type === "row") abort.abort();
    }
  })();
  const [, codes] = await Promise.all([
    rejects(cancelled, { name: "AbortError" }),
    codesOf(device.model, sceneOf(drawn)),
  ]);
  assertCodes(codes, drawn);
  assertCodes(await codesOf(device.model, sceneOf(drawn)), drawn);
});

Deno.test("Requests leave no native object behind", async () => {
  const counts: Readonly<Record<string, number>>[] = [];
  const { runtime } = await (async () => {
    await using device = await openDeviceLanguage();
    const [first, second] = pictures.cases as [DrawnCase, DrawnCase];
    for (let time = 0; time < 4; time++) {
      await codesOf(device.model, sceneOf(first));
      await codesOf(device.model, sceneOf(second, "jacobi"));
      counts.push(device.runtime.alive);
    }
    return device;
  })();
  // By the third time everything is cached that will be.
  deepStrictEqual(counts[3], counts[2]);
  deepStrictEqual(runtime.alive, {});
});
