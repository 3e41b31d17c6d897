/** Laws of clips, with a real decoder. */

import {
  deepStrictEqual,
  notDeepStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  resumeStateOf,
  storedResumeState,
} from "../../functions/jobs/store/stored_resume_state.ts";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import { answer, draw, type GenerationParams } from "../../lib/emu3.ts";
import { PromptTooLongError } from "../../lib/errors.ts";
import { type CodeGrid, firstRows } from "../../lib/grid.ts";
import { scorePicture } from "../../lib/scoring.ts";
import { CLIP_FORMS, clipParams, drawClips } from "../support/clips.ts";
import { openTinyLanguage } from "../support/tiny.ts";

const NEVER = new AbortController().signal;
const FREE = { temperature: 1, topK: 0, topP: 1 };
const SIZE = { frames: 3, height: 2, width: 4 };
const FORMS = Object.keys(CLIP_FORMS) as (keyof typeof CLIP_FORMS)[];
const LOSSLESS = ["autoregressive", "jacobi"] as const;

/** All forms with all lossless strategies, greedy. */
const greedy = FORMS.flatMap((form) =>
  LOSSLESS.map((name) => ({
    title: `${form}, ${name}`,
    form,
    params: {
      ...clipParams(CLIP_FORMS[form], SIZE),
      strategy: strategyOf(name),
    },
  }))
);

/** The same, sampled. */
const sampled = greedy.map((one) => ({
  ...one,
  params: { ...one.params, sampling: FREE, seed: 11 },
}));

/** Returns the parameters that depend on the number of frames. */
function clipSize(form: keyof typeof CLIP_FORMS, frames: number) {
  const { size, clip } = clipParams(CLIP_FORMS[form], { ...SIZE, frames });
  return { size, clip };
}

function given(grid: CodeGrid, frames: number): CodeGrid {
  return firstRows(grid, frames * SIZE.height);
}

Deno.test("A greedy clip's first frames extended are the clip", async () => {
  await using tiny = await openTinyLanguage();
  for (const { title, form, params } of greedy) {
    // An interleaved clip's prompt counts given and drawn frames apart.
    if (form === "interleaved") continue;
    const whole = await drawClips(tiny.model, params);
    for (let frames = 1; frames < SIZE.frames; frames++) {
      const prefix = given(whole.grids[0]!, frames);
      const rest = await drawClips(tiny.model, { ...params, prefix });
      deepStrictEqual(rest.grids, whole.grids, `${title}, ${frames} given`);
      strictEqual(
        rest.rows[0]!.length,
        (SIZE.frames - frames) * SIZE.height,
        "rows of given frames are not reported",
      );
    }
  }
});

Deno.test("The reported rows of a clip are its grid, from the top", async () => {
  await using tiny = await openTinyLanguage();
  for (const { title, params } of sampled) {
    const { rows: [rows], grids: [grid] } = await drawClips(tiny.model, params);
    const { height, width } = params.size;
    deepStrictEqual(rows!.map(({ index }) => index), [...Array(height).keys()]);
    for (const { index, codes } of rows!) {
      const start = index * width;
      deepStrictEqual(codes, grid!.codes.slice(start, start + width), title);
    }
  }
});

Deno.test("Clips drawn beside other clips, pictures and answers are those drawn alone", async () => {
  await using tiny = await openTinyLanguage();
  const context = given(
    (await drawClips(tiny.model, greedy[0]!.params)).grids[0]!,
    2,
  );
  const requests: GenerationParams[] = [
    ...sampled.map(({ params }) => params),
    ...sampled.map(({ params }) => ({ ...params, prefix: context, seed: 5 })),
    { ...sampled[0]!.params, clip: undefined, size: { height: 6, width: 4 } },
    { ...sampled[2]!.params, count: 2 },
  ];
  const question = {
    grids: [context],
    question: "What moves?",
    template: "chat",
    maxTokens: 12,
    stop: [],
    sampling: FREE,
    seed: 2,
  } as const;
  const ask = async () => {
    const events = await Array.fromAsync(answer(tiny.model, question, NEVER));
    return events.flatMap((e) => e.type === "delta" ? [e.text] : []).join("");
  };
  const alone = [];
  for (const params of requests) {
    alone.push((await drawClips(tiny.model, params)).grids);
  }
  const answered = await ask();
  const [text, ...together] = await Promise.all([
    ask(),
    ...requests.map(async (one) => (await drawClips(tiny.model, one)).grids),
  ]);
  deepStrictEqual(together, alone);
  strictEqual(text, answered);
});

Deno.test("A clip resumed from what jobs store, at any row, is the clip that was not interrupted", async () => {
  await using tiny = await openTinyLanguage();
  const logprobs = 2;
  const context = given(
    (await drawClips(tiny.model, greedy[0]!.params)).grids[0]!,
    1,
  );
  for (const { title, params } of sampled) {
    for (const prefix of [undefined, context]) {
      const clip = { ...params, prefix, logprobs };
      const whole = await drawClips(tiny.model, clip);
      for (const [row, state] of whole.resumeStates.entries()) {
        const stored = resumeStateOf(storedResumeState(state));
        const rest = await drawClips(tiny.model, clip, stored);
        deepStrictEqual(rest.grids, whole.grids, `${title}, row ${row}`);
        deepStrictEqual(
          rest.rows[0]!.map(({ index, codes }) => [index, codes]),
          whole.rows[0]!.map(({ index, codes }) => [index, codes]),
        );
      }
    }
  }
});

Deno.test("A greedy clip by jacobi is the autoregressive one, in no more forward passes", async () => {
  await using tiny = await openTinyLanguage();
  for (const form of FORMS) {
    for (const guidanceScale of [1, 3]) {
      const params = { ...clipParams(CLIP_FORMS[form], SIZE), guidanceScale };
      const plain = await drawClips(tiny.model, params);
      for (const window of [3, 40]) {
        const strategy = { name: "jacobi", window } as const;
        const jacobi = await drawClips(tiny.model, { ...params, strategy });
        deepStrictEqual(jacobi.grids, plain.grids, `${form}, ${window}`);
        ok(jacobi.forwards <= plain.forwards);
      }
    }
  }
});

Deno.test("The log-probabilities of a drawn clip are those that scoring gives it", async () => {
  await using tiny = await openTinyLanguage();
  for (const { title, form, params } of sampled) {
    const scored = { ...params, logprobs: 1 };
    const { grids, rows } = await drawClips(tiny.model, scored);
    const drawn = rows[0]!.flatMap(({ scores }) =>
      scores.map(({ logprob }) => logprob)
    );
    const { logprobs, usage } = await scorePicture(
      tiny.model,
      { ...params, grid: grids[0]! },
      NEVER,
    );
    const codes = SIZE.frames * SIZE.height * SIZE.width;
    strictEqual(logprobs.length, codes);
    strictEqual(drawn.length, codes);
    const apart = logprobs.map((value, i) => Math.abs(value - drawn[i]!));
    ok(Math.max(...apart) < 1e-3, `${title}: ${Math.max(...apart)}`);
    // The forced tokens are counted, those after the last code not.
    const forced = {
      paper: SIZE.frames * (SIZE.height + 1) - 2,
      whole: SIZE.frames - 1,
      // EOF EOI BOI 1 * 2 * 4 IMG
      interleaved: (SIZE.frames - 1) * 9,
    };
    strictEqual(usage.newTokens, codes + forced[form]);
  }
});

Deno.test("The same seed draws the same clip, and another seed or place in the request another", async () => {
  await using tiny = await openTinyLanguage();
  for (const { params } of sampled) {
    const three = await drawClips(tiny.model, { ...params, count: 3 });
    const two = await drawClips(tiny.model, { ...params, count: 2 });
    const one = await drawClips(tiny.model, params);
    deepStrictEqual(two.grids, three.grids.slice(0, 2));
    deepStrictEqual(one.grids, three.grids.slice(0, 1));
    notDeepStrictEqual(three.grids[0], three.grids[1]);
    const other = await drawClips(tiny.model, { ...params, seed: 12 });
    notDeepStrictEqual(other.grids, one.grids);
  }
});

Deno.test("A clip of one frame is the picture of its codes in the form that opens it alike", async () => {
  await using tiny = await openTinyLanguage();
  const { params } = greedy[0]!;
  const form = { ...CLIP_FORMS.paper, meta: "{height}*{width}" };
  const clip = clipParams(form, { ...SIZE, frames: 1 });
  const picture = { ...params, size: clip.size, clip: undefined };
  const { grids } = await drawClips(tiny.model, clip);
  deepStrictEqual(grids, (await drawClips(tiny.model, picture)).grids);
});

Deno.test("A clip ends as soon as it is canceled", async () => {
  await using tiny = await openTinyLanguage();
  for (const { params, form } of sampled) {
    const long = { ...params, ...clipSize(form, 30) };
    const controller = new AbortController();
    const rows: number[] = [];
    await rejects(async () => {
      for await (const event of draw(tiny.model, long, controller.signal)) {
        if (event.type !== "row") continue;
        rows.push(event.row.index);
        if (event.row.index === SIZE.height) controller.abort();
      }
    }, { name: "AbortError" });
    ok(rows.length < long.size.height, `${rows.length} rows`);
  }
});

Deno.test("A clip longer than the context is refused before it is drawn", async () => {
  await using tiny = await openTinyLanguage();
  for (const form of FORMS) {
    const frames = 40;
    const long = clipParams(CLIP_FORMS[form], {
      frames,
      height: 16,
      width: 16,
    });
    await rejects(drawClips(tiny.model, long), PromptTooLongError);
    const grid = { ...long.size, codes: new Uint16Array(frames * 256) };
    await rejects(
      scorePicture(tiny.model, { ...long, grid }, NEVER),
      PromptTooLongError,
    );
  }
});
