/** The bodies in `/openapi.json`, compared with those that routes accept. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as v from "valibot";
import { parseFields } from "../../functions/http/body.ts";
import { checkOneWay } from "../../functions/inference/image_inputs.ts";
import { InvalidFieldsError } from "../../functions/http/errors/errors.ts";
import {
  CaptionBody,
  DetokenizeBody,
  GenerateBody,
  TokenizeBody,
} from "../../functions/schema/bodies.ts";
import { scoreBody } from "../../functions/schema/bodies_score.ts";
import { ScoreRequest } from "../../functions/schema/score.ts";
import { TokenizeRequest } from "../../functions/schema/tokenize.ts";
import { checkScored } from "../../functions/inference/clips/scored_clip.ts";
import { scoreKind } from "../../functions/inference/scoring.ts";
import { tokenizeKind } from "../../functions/schema/tokenize_kinds.ts";

const picture = "aGk=";
const grid = { codes: [[1]] };

Deno.test("TokenizeBody accepts a body exactly if its fields are consistent", () => {
  const values: Readonly<Record<string, unknown>> = {
    image: picture,
    images: [picture],
    frames: [picture],
    grid,
    grids: [grid],
    text: "a",
    special: true,
    prompt: { prompt: "a" },
    question: "a",
    template: "chat",
    resize: "none",
    decode: "display",
    pad: "repeat",
    "frames_per_code": 1,
    fps: 1,
    start: 1,
    end: 2,
    "video_frames": 1,
    model: "m",
  };
  deepStrictEqual(Object.keys(values), Object.keys(TokenizeRequest.entries));
  for (const body of choices(values)) {
    const taken = isTaken(() => {
      const fields = parseFields(TokenizeRequest, body);
      const upload = { fields, files: new Map(), codes: undefined };
      if (tokenizeKind(upload) === "question") checkOneWay(upload);
    });
    strictEqual(v.is(TokenizeBody, body), taken, `${Object.keys(body)}`);
  }
});

Deno.test("scoreBody() accepts a body exactly if its fields are consistent", () => {
  const values: Readonly<Record<string, unknown>> = {
    image: picture,
    images: [picture],
    grid,
    grids: [grid],
    clip: { codes: [[[1]]] },
    frames: [picture],
    fps: 2,
    prompt: "a",
    "negative_prompt": "",
    "guidance_scale": 2,
    rows: true,
    logprobs: 2,
    question: "a",
    text: "a",
    template: "chat",
    decode: "display",
    model: "m",
    adapter: "a",
  };
  deepStrictEqual(Object.keys(values), Object.keys(ScoreRequest.entries));
  const described = scoreBody(new Set(["generate", "caption"]));
  for (const body of choices(values)) {
    const taken = isTaken(() => {
      const fields = parseFields(ScoreRequest, body);
      scoreKind(fields);
      checkScored({ fields, files: new Map(), codes: undefined });
    });
    strictEqual(v.is(described, body), taken, `${Object.keys(body)}`);
  }
});

Deno.test("schemas of /openapi.json reject an inconsistent body", () => {
  const sized = { prompt: "a", height: 16, width: 16 };
  ok(v.is(GenerateBody, sized));
  ok(!v.is(GenerateBody, { ...sized, ratio: "1:1" }));
  ok(!v.is(GenerateBody, { prompt: "a", height: 16 }));
  ok(v.is(CaptionBody, { grid }));
  ok(!v.is(CaptionBody, { grid, image: "aGk=" }) && !v.is(CaptionBody, {}));
  ok(v.is(DetokenizeBody, { grid }));
  ok(!v.is(DetokenizeBody, { grid, tokens: [] }));
});

/** The most fields of a choice: rules are about pairs. */
const MAX_CHOSEN = 5;

/** Yields every choice of some of `values`. */
function* choices(
  values: Readonly<Record<string, unknown>>,
): Generator<Record<string, unknown>> {
  for (const chosen of subsets(Object.entries(values), MAX_CHOSEN)) {
    yield Object.fromEntries(chosen);
  }
}

/** Yields every subset of at most `most` items. */
function* subsets<T>(items: readonly T[], most: number): Generator<T[]> {
  const [first, ...rest] = items;
  if (first === undefined || most === 0) {
    yield [];
    return;
  }
  yield* subsets(rest, most);
  for (const subset of subsets(rest, most - 1)) yield [first, ...subset];
}

/** Returns true if a route accepts a body's fields. */
function isTaken(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof InvalidFieldsError) return false;
    throw error;
  }
}
