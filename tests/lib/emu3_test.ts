// deno-lint-ignore-file camelcase -- golden data keeps the names of its source
import { drawingTokens } from "../../lib/drawing_prompt.ts";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import { AnsweringPolicy } from "../../lib/answering/answering.ts";
import {
  answer,
  type CaptioningEvent,
  draw,
  type GenerationParams,
  type Question,
  questionTokens,
} from "../../lib/emu3.ts";
import { PromptTooLongError } from "../../lib/errors.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import { PUBLISHED_NEGATIVE_PROMPT } from "../../models/config/generation_config.ts";
import { goldenJson } from "../support/golden.ts";
import { LANGUAGE_FOLDERS, openTinyLanguage } from "../support/tiny.ts";

const NEVER = new AbortController().signal;
const GREEDY = { temperature: 0, topK: 2048, topP: 1 };
const FREE = { temperature: 1, topK: 0, topP: 1 };

/** A greedy picture of the reference; `partial` ones continue given rows. */
interface DrawnCase {
  readonly name: string;
  readonly prompt: string;
  readonly guidance: number;
  /** The negative prompt; the published one if rows are given. */
  readonly negative?: string | null;
  readonly H: number;
  readonly W: number;
  readonly codes: number[][];
  readonly prompt_ids: number[];
  readonly negative_ids: number[] | null;
  readonly rows_given?: number;
  readonly given_codes?: number[][];
}

/** A greedy answer of the reference. */
interface ChatCase {
  readonly name: string;
  readonly question: string;
  readonly template: "chat" | "stage1";
  readonly hw: [number, number];
  readonly prompt_ids: number[];
  readonly answer_ids: number[];
  readonly max_new_tokens: number;
  readonly stop: "eos" | "length";
  readonly text: string;
}

const pictures = goldenJson<{ cases: DrawnCase[]; partial: DrawnCase[] }>(
  "generate.json",
);
const chats = goldenJson<
  { cases: ChatCase[]; transformers_native: ChatCase[]; ids: { vis: number } }
>("chat.json");

function gridOf(rows: number[][]): CodeGrid {
  return {
    height: rows.length,
    width: rows[0]!.length,
    codes: Uint16Array.from(rows.flat()),
  };
}

function sceneOf(drawn: DrawnCase): GenerationParams {
  return {
    prompt: drawn.prompt,
    negativePrompt: drawn.negative ?? PUBLISHED_NEGATIVE_PROMPT,
    guidanceScale: drawn.guidance,
    size: { height: drawn.H, width: drawn.W },
    prefix: drawn.given_codes && gridOf(drawn.given_codes),
    strategy: strategyOf("autoregressive"),
    sampling: GREEDY,
    seed: 0,
    count: 1,
    logprobs: 0,
  };
}

function questionOf(chat: ChatCase): Question {
  const [height, width] = chat.hw;
  const { vis } = chats.ids;
  const codes = chat.prompt_ids.filter((id) => id >= vis).map((id) => id - vis);
  return {
    grids: [{
      height,
      width,
      codes: Uint16Array.from(codes.slice(0, height * width)),
    }],
    question: chat.question,
    template: chat.template === "chat" ? "chat" : "base",
    maxTokens: chat.max_new_tokens,
    stop: [],
    sampling: GREEDY,
    seed: 0,
  };
}

async function gather<T>(events: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(events);
}

async function gridsOf(
  model: LanguageModel,
  scene: GenerationParams,
): Promise<CodeGrid[]> {
  const events = await gather(draw(model, scene, NEVER));
  const grids = events.filter((event) => event.type === "grid");
  return grids.sort((a, b) => a.imageIndex - b.imageIndex)
    .map(({ grid }) => grid);
}

function answerEnd(
  events: readonly CaptioningEvent[],
): Extract<CaptioningEvent, { type: "finished" }> {
  const last = events.at(-1)!;
  if (last.type !== "finished") throw new Error("it did not finish");
  return last;
}

for (const name of LANGUAGE_FOLDERS) {
  Deno.test(`draw() of ${name} reproduces the greedy pictures of the reference, code for code`, async () => {
    await using tiny = await openTinyLanguage(name);
    // Concurrently, since results must not depend on the batch.
    await Promise.all(
      [...pictures.cases, ...pictures.partial].map(async (drawn) => {
        const [grid] = await gridsOf(tiny.model, sceneOf(drawn));
        deepStrictEqual(grid, gridOf(drawn.codes), drawn.name);
      }),
    );
  });

  Deno.test(`a policy of ${name} reproduces the greedy answers of the reference`, async () => {
    await using tiny = await openTinyLanguage(name);
    const { engine, vocabulary, text } = tiny.model;
    const cases = [...chats.cases, ...chats.transformers_native];
    await Promise.all(cases.map(async (chat) => {
      const tokens: number[] = [];
      const policy = new AnsweringPolicy({
        eos: vocabulary.eos,
        maxTokens: chat.max_new_tokens,
        sampling: GREEDY,
        key: { seed: 0, stream: 0 },
      }, (token) => tokens.push(token));
      await engine.run({
        prompts: [{
          tokens: Int32Array.from(chat.prompt_ids),
          prefixBoundaries: [chat.prompt_ids.length],
        }],
        maxNewTokens: chat.max_new_tokens,
        long: false,
        policy,
      }, NEVER);
      const expected = chat.answer_ids.filter((id) => id !== vocabulary.eos);
      deepStrictEqual(tokens, expected, chat.question);
      strictEqual(text.decode(tokens, { skipSpecial: true }), chat.text);
    }));
  });
}

Deno.test("drawingTokens() returns the reference's tokens, with and without guidance", async () => {
  await using tiny = await openTinyLanguage();
  for (const drawn of [...pictures.cases, ...pictures.partial]) {
    const { tokens, unconditional } = await drawingTokens(
      tiny.model,
      sceneOf(drawn),
    );
    const given = drawn.given_codes?.length ?? 0;
    const rows = given * (drawn.W + 1);
    deepStrictEqual(
      [...tokens.slice(0, tokens.length - rows)],
      drawn.prompt_ids,
    );
    const negative = unconditional &&
      [...unconditional.slice(0, unconditional.length - rows)];
    deepStrictEqual(negative ?? null, drawn.negative_ids);
    // Trap 7: the given rows follow both prompts.
    const tail = (ids: Int32Array) => [...ids.slice(ids.length - rows)];
    if (unconditional) deepStrictEqual(tail(unconditional), tail(tokens));
  }
});

Deno.test("answer() has the prompts and answers of the reference, except for the template's space", async () => {
  await using tiny = await openTinyLanguage();
  // Trap 3: the reference reads special tokens out of a user's text (s0 … s2);
  // here they stay text, so those prompts differ by intention.
  const ordinary = chats.cases.filter(({ name }) => !/^s[012]$/.test(name));
  strictEqual(ordinary.length, 5);
  for (const chat of ordinary) {
    const question = questionOf(chat);
    const prompt = await questionTokens(tiny.model, question);
    deepStrictEqual([...prompt], chat.prompt_ids, chat.name);
    const end = answerEnd(await gather(answer(tiny.model, question, NEVER)));
    const space = question.template === "chat" ? /^ / : "";
    strictEqual(end.text, chat.text.replace(space, ""), chat.name);
    strictEqual(end.finishReason, chat.stop === "eos" ? "stop" : "length");
    strictEqual(end.usage.promptTokens, chat.prompt_ids.length);
  }
});

Deno.test("answer() never encodes a user's text as a control token", async () => {
  await using tiny = await openTinyLanguage();
  const { eos, boi, firstCode } = tiny.model.vocabulary;
  for (const chat of chats.cases.filter(({ name }) => /^s[012]$/.test(name))) {
    const question = questionOf(chat);
    const prompt = await questionTokens(tiny.model, question);
    const [grid] = question.grids;
    const codes = prompt.filter((token) => token >= firstCode);
    strictEqual(codes.length, grid!.codes.length, "only the picture's codes");
    strictEqual(prompt.filter((token) => token === boi).length, 1);
    ok(!prompt.includes(eos));
  }
});

Deno.test("answer() streams its answer in whole characters", async () => {
  await using tiny = await openTinyLanguage();
  for (const chat of chats.cases) {
    const events = await gather(answer(tiny.model, questionOf(chat), NEVER));
    const deltas = events.flatMap((event) =>
      event.type === "delta" ? [event.text] : []
    );
    strictEqual(deltas.join(""), answerEnd(events).text);
    ok(deltas.every((delta) => delta !== "" && delta.isWellFormed()));
  }
});

Deno.test("answer() ends before a stop, and ends the model's run", async () => {
  await using tiny = await openTinyLanguage();
  let wordy = 0;
  for (const chat of chats.cases) {
    const question = questionOf(chat);
    const ask = async (stop: string[]) =>
      answerEnd(
        await gather(answer(tiny.model, { ...question, stop }, NEVER)),
      );
    const { text, usage } = await ask([]);
    if ([...text].length < 8) continue;
    wordy++;
    const middle = [...text].slice(3, 5).join("");
    const end = await ask(["never said", middle]);
    strictEqual(end.text, text.slice(0, text.indexOf(middle)));
    strictEqual(end.finishReason, "stop");
    ok(end.usage.newTokens < usage.newTokens);
  }
  ok(wordy > 1);
});

Deno.test("draw() reports rows in order, which form the picture", async () => {
  await using tiny = await openTinyLanguage();
  const scene = { ...sceneOf(pictures.cases[2]!), count: 2, sampling: FREE };
  const events = await gather(draw(tiny.model, scene, NEVER));
  for (const image of [0, 1]) {
    const own = events.filter((event) =>
      (event.type === "row" || event.type === "grid") &&
      event.imageIndex === image
    );
    const rows = own.filter((event) => event.type === "row");
    deepStrictEqual(rows.map(({ row }) => row.index), [...rows.keys()]);
    const grid = own.at(-1)!;
    ok(grid.type === "grid", "the grid comes after its rows");
    deepStrictEqual(
      rows.flatMap(({ row: { codes } }) => [...codes]),
      [...grid.grid.codes],
    );
  }
  strictEqual(events.at(-1)!.type, "finished");
});

Deno.test("draw() returns the same codes for a seed, whatever else is drawn", async () => {
  await using tiny = await openTinyLanguage();
  const scene = {
    ...sceneOf(pictures.cases[3]!),
    sampling: FREE,
    seed: 2 ** 53 - 1,
  };
  const [alone] = await gridsOf(tiny.model, scene);
  const others = pictures.cases.map((drawn, seed) => ({
    ...sceneOf(drawn),
    sampling: FREE,
    seed,
  }));
  for (const order of [[scene, ...others], [...others, scene]]) {
    const crowd = order.map((one) => gridsOf(tiny.model, one));
    const [inCrowd] = await crowd[order.indexOf(scene)]!;
    await Promise.all(crowd);
    deepStrictEqual(inCrowd, alone);
  }
  const [other] = await gridsOf(tiny.model, { ...scene, seed: 7 });
  ok(String(other!.codes) !== String(alone!.codes), "another seed, others");
});

Deno.test("draw() draws picture i of several from stream i, and the first as a single one", async () => {
  await using tiny = await openTinyLanguage();
  const scene = { ...sceneOf(pictures.cases[1]!), sampling: FREE, seed: 3 };
  const [one] = await gridsOf(tiny.model, scene);
  const three = await gridsOf(tiny.model, { ...scene, count: 3 });
  deepStrictEqual(three[0], one);
  strictEqual(new Set(three.map(({ codes }) => String(codes))).size, 3);
});

Deno.test("draw() continues the first rows of a picture to the same picture, sampled or greedy", async () => {
  await using tiny = await openTinyLanguage();
  for (const sampling of [GREEDY, FREE]) {
    const scene = { ...sceneOf(pictures.cases[0]!), sampling, seed: 11 };
    const [whole] = await gridsOf(tiny.model, scene);
    for (const height of [1, 3, 7]) {
      const { width, codes } = whole!;
      const prefix = { height, width, codes: codes.slice(0, height * width) };
      const [continued] = await gridsOf(tiny.model, { ...scene, prefix });
      deepStrictEqual(continued, whole, `from row ${height}`);
    }
  }
});

Deno.test("draw() with guidance 1 needs no unconditional row", async () => {
  await using tiny = await openTinyLanguage();
  const scene = sceneOf(pictures.cases[1]!);
  strictEqual(
    (await drawingTokens(tiny.model, scene)).unconditional,
    undefined,
  );
});

Deno.test("draw() appends nothing after the last code", async () => {
  await using tiny = await openTinyLanguage("emu3-tiny", { chunkLength: 256 });
  const scene = sceneOf(pictures.cases[1]!);
  const events = await gather(draw(tiny.model, scene, NEVER));
  const end = events.at(-1)!;
  ok(end.type === "finished");
  const { height, width } = scene.size;
  // One prompt, and every code but the last; EOL is appended with a code.
  strictEqual(end.statistics.forwards, 1 + height * width - 1);
});

Deno.test("draw() and answer() refuse requests beyond the context, with both numbers", async () => {
  await using tiny = await openTinyLanguage();
  const limit = tiny.model.engine.contextLength;
  const scene = {
    ...sceneOf(pictures.cases[0]!),
    size: { height: 100, width: 100 },
  };
  await rejects(gather(draw(tiny.model, scene, NEVER)), (error) => {
    ok(error instanceof PromptTooLongError);
    strictEqual(error.available, limit);
    ok(error.needed > 10_100);
    return true;
  });
  const question = {
    ...questionOf(chats.cases[0]!),
    question: "why ".repeat(limit),
  };
  await rejects(
    gather(answer(tiny.model, question, NEVER)),
    /Prompt too long/,
  );
  const codes = new Uint16Array(100 * 100);
  const grids = [{ height: 100, width: 100, codes }];
  await rejects(
    gather(answer(tiny.model, { ...question, grids }, NEVER)),
    /Images too large: they take 10102 tokens/,
  );
});

Deno.test("answer() takes no more tokens than the context leaves", async () => {
  await using tiny = await openTinyLanguage();
  const { engine, vocabulary } = tiny.model;
  const chat = chats.cases.find(({ stop }) => stop === "length")!;
  const question = { ...questionOf(chat), maxTokens: 1_000_000 };
  const end = answerEnd(await gather(answer(tiny.model, question, NEVER)));
  ok(end.usage.promptTokens + end.usage.newTokens <= engine.contextLength);
  ok(vocabulary.eos > 0);
});

Deno.test("draw() ends when its signal aborts or its consumer stops, and others continue", async () => {
  await using tiny = await openTinyLanguage();
  const scene = { ...sceneOf(pictures.cases[3]!), sampling: FREE };
  const controller = new AbortController();
  const gone = gather(draw(tiny.model, scene, controller.signal));
  const kept = gridsOf(tiny.model, scene);
  for await (const event of draw(tiny.model, scene, NEVER)) {
    if (event.type === "row") break;
  }
  controller.abort(new Error("gone"));
  await rejects(gone, { message: "gone" });
  strictEqual((await kept).length, 1);
  strictEqual(tiny.model.engine.state.running, 0);
});
