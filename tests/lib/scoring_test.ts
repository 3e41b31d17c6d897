// deno-lint-ignore-file camelcase -- golden data keeps the names of its source
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import { draw } from "../../lib/emu3.ts";
import { PromptTooLongError } from "../../lib/errors.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import { questionPrompt } from "../../lib/prompt.ts";
import { scoreAnswer, scorePicture } from "../../lib/scoring.ts";
import { ScoringPolicy } from "../../lib/scoring_policy.ts";
import { PUBLISHED_NEGATIVE_PROMPT } from "../../models/config/generation_config.ts";
import { goldenJson, goldenPath } from "../support/golden.ts";
import { float32, int32, readSafetensors } from "../support/safetensors.ts";
import { LANGUAGE_FOLDERS, openTinyLanguage } from "../support/tiny.ts";

interface PictureCase {
  readonly name: string;
  readonly prompt: string;
  readonly guidance: number;
  readonly negative: string | null;
  readonly H: number;
  readonly W: number;
  readonly codes: number[][];
}
interface ChatCase {
  readonly name: string;
  readonly prompt_ids: number[];
  readonly answer_ids: number[];
}

const NEVER = new AbortController().signal;
/** The tolerance of a sum over a picture in other kernels. */
const SUM_TOLERANCE = 2e-3;

const pictures = goldenJson<{ cases: PictureCase[] }>("generate.json");
const chats = goldenJson<{ cases: ChatCase[]; ids: { eos: number } }>(
  "chat.json",
);
const scores = goldenJson<{
  pictures: { name: string; guided: number[]; unguided: number[] }[];
  answers: { name: string; logprobs: number[] }[];
}>("score.json");

function gridOf(drawn: PictureCase): CodeGrid {
  const { H: height, W: width, codes } = drawn;
  return { height, width, codes: Uint16Array.from(codes.flat()) };
}

function rowSums(logprobs: readonly number[], { width }: CodeGrid): number[] {
  const rows: number[] = [];
  for (const [i, logprob] of logprobs.entries()) {
    const y = Math.floor(i / width);
    rows[y] = (rows[y] ?? 0) + logprob;
  }
  return rows;
}

function near(actual: readonly number[], expected: readonly number[]): void {
  strictEqual(actual.length, expected.length);
  const furthest = Math.max(
    ...actual.map((value, i) => Math.abs(value - expected[i]!)),
  );
  ok(furthest < SUM_TOLERANCE, `${furthest} apart`);
}

for (const folder of LANGUAGE_FOLDERS) {
  Deno.test(`scorePicture() of ${folder} is the reference's sum over codes, guided and not`, async () => {
    await using tiny = await openTinyLanguage(folder);
    for (const [i, one] of pictures.cases.entries()) {
      const grid = gridOf(one);
      const expected = scores.pictures[i]!;
      for (const scale of new Set([one.guidance, 1])) {
        const { logprobs, usage } = await scorePicture(tiny.model, {
          prompt: one.prompt,
          negativePrompt: one.negative ?? PUBLISHED_NEGATIVE_PROMPT,
          guidanceScale: scale,
          grid,
        }, NEVER);
        const rows = scale === 1 ? expected.unguided : expected.guided;
        near(rowSums(logprobs, grid), rows);
        // The last EOL is not appended.
        strictEqual(usage.newTokens, grid.height * (grid.width + 1) - 1);
      }
    }
  });
}

Deno.test("ScoringPolicy on the engine matches the reference's answers, token by token and EOS", async () => {
  await using tiny = await openTinyLanguage();
  for (const [i, chat] of chats.cases.entries()) {
    const said = chat.answer_ids.filter((id) => id !== chats.ids.eos);
    const tokens = Int32Array.from([...said, chats.ids.eos]);
    for (const chunk of [2, 5, 64]) {
      const policy = new ScoringPolicy({ tokens, choices: tokens }, {
        head: "vocabulary",
        guidanceScale: 1,
        chunk,
      });
      const prompt = Int32Array.from(chat.prompt_ids);
      const { forwards } = await tiny.model.engine.run({
        prompts: [{ tokens: prompt, prefixBoundaries: [prompt.length] }],
        maxNewTokens: tokens.length - 1,
        policy,
        long: false,
      }, NEVER);
      near(policy.logprobs, scores.answers[i]!.logprobs);
      ok(forwards <= Math.ceil(prompt.length / 32) + said.length / chunk + 1);
    }
  }
});

Deno.test("ScoringPolicy matches log-softmax of the reference's logits over codes", async () => {
  const golden = readSafetensors(goldenPath("lm.safetensors"));
  const ids = int32(golden, "gen_prefix.input_ids");
  const logits = float32(golden, "gen_prefix.logits");
  await using tiny = await openTinyLanguage();
  const { firstCode, codebookSize, size, img } = tiny.model.vocabulary;
  const start = ids.indexOf(img) + 1;
  const given = Int32Array.from(ids.subarray(start));
  const choices = given.map((id) => id < firstCode ? -1 : id - firstCode);
  const expected = [...choices].flatMap((choice, i) => {
    if (choice === -1) return [];
    const at = (start + i - 1) * size + firstCode;
    const row = [...logits.subarray(at, at + codebookSize)];
    const sum = row.reduce((sum, value) => sum + Math.exp(value), 0);
    return [row[choice]! - Math.log(sum)];
  });
  const policy = new ScoringPolicy({ tokens: given, choices }, {
    head: "codes",
    guidanceScale: 1,
    chunk: 7,
  });
  await tiny.model.engine.run({
    prompts: [{
      tokens: Int32Array.from(ids.slice(0, start)),
      prefixBoundaries: [start],
    }],
    maxNewTokens: given.length - 1,
    policy,
    long: true,
  }, NEVER);
  near(policy.logprobs, expected);
});

Deno.test("scorePicture() equals the scores of drawing the same picture", async () => {
  await using tiny = await openTinyLanguage();
  const scene = {
    prompt: "a fox",
    negativePrompt: "blurry",
    guidanceScale: 2.5,
    size: { height: 5, width: 4 },
    prefix: undefined,
    strategy: strategyOf("autoregressive"),
    sampling: { temperature: 1, topK: 0, topP: 1 },
    seed: 3,
    count: 1,
    logprobs: 1,
  };
  const events = await Array.fromAsync(draw(tiny.model, scene, NEVER));
  const drawn = events.flatMap((event) =>
    event.type === "row" ? event.row.scores : []
  );
  const grid = events.find((event) => event.type === "grid")!.grid;
  const { logprobs } = await scorePicture(
    tiny.model,
    { ...scene, grid },
    NEVER,
  );
  near(logprobs, drawn.map(({ logprob }) => logprob));
});

Deno.test("scoreAnswer() scores the text's tokens and EOS after the question's prompt", async () => {
  await using tiny = await openTinyLanguage();
  const { model } = tiny;
  const grid = { height: 1, width: 2, codes: Uint16Array.of(7, 300) };
  const question = {
    grids: [grid],
    question: "What?",
    template: "chat",
  } as const;
  const { logprobs, usage } = await scoreAnswer(
    model,
    { ...question, text: "a red fox" },
    NEVER,
  );
  const prompt = await questionPrompt(model, [grid], "What?", "chat");
  const said = await model.text.encode(" a red fox");
  const tokens = Int32Array.from([...said, model.vocabulary.eos]);
  const policy = new ScoringPolicy({ tokens, choices: tokens }, {
    head: "vocabulary",
    guidanceScale: 1,
    chunk: 3,
  });
  const request = { prompts: [prompt], maxNewTokens: 64, long: false, policy };
  await model.engine.run(request, NEVER);
  near(logprobs, policy.logprobs);
  const written = { ...question, text: " a red fox" };
  near((await scoreAnswer(model, written, NEVER)).logprobs, policy.logprobs);
  strictEqual(usage.promptTokens, prompt.tokens.length);
  const none = await scoreAnswer(model, { ...question, text: "" }, NEVER);
  strictEqual(none.logprobs.length, 1);
});

Deno.test("scorePicture() beside others is bit-identical to its result alone", async () => {
  await using tiny = await openTinyLanguage();
  const tasks = pictures.cases.slice(0, 4).map((one) => ({
    prompt: one.prompt,
    negativePrompt: "",
    guidanceScale: one.guidance,
    grid: gridOf(one),
  }));
  const alone: (readonly number[])[] = [];
  for (const task of tasks) {
    alone.push((await scorePicture(tiny.model, task, NEVER)).logprobs);
  }
  const together = await Promise.all(
    tasks.map((task) => scorePicture(tiny.model, task, NEVER)),
  );
  deepStrictEqual(together.map(({ logprobs }) => logprobs), alone);
});

Deno.test("scorePicture() and scoreAnswer() refuse requests beyond the context", async () => {
  await using tiny = await openTinyLanguage();
  const side = 128;
  const codes = new Uint16Array(side * side);
  const grid = { height: side, width: side, codes };
  const scene = { prompt: "", negativePrompt: "", guidanceScale: 1 };
  const question = { question: "", template: "base", text: "" } as const;
  const grids = [grid];
  const tooLong = (error: unknown) =>
    error instanceof PromptTooLongError &&
    error.message.startsWith(
      "Images too large: they take 16514 tokens",
    );
  await rejects(
    scorePicture(tiny.model, { ...scene, grid }, NEVER),
    tooLong,
  );
  await rejects(
    scoreAnswer(tiny.model, { ...question, grids }, NEVER),
    tooLong,
  );
});
