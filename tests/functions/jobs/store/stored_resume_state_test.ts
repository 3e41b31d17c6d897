/** Laws of the stored form of resume states. */

import { deepStrictEqual } from "node:assert/strict";
import { deserialize, serialize } from "node:v8";
import {
  resumeStateOf,
  storedResumeState,
} from "../../../../functions/jobs/store/stored_resume_state.ts";
import type { ResumeState } from "../../../../lib/drawing/resume_state.ts";

const codes = Uint16Array.of(1, 65_535);
const scores = [{ logprob: -1, entropy: 2, strongest: [] }];
const distribution = {
  tokens: Int32Array.of(3, 4),
  probabilities: Float64Array.of(0.25, 0.75),
};
const controller = { forwards: 1, decided: 2, resting: 3, nextRest: 4 };

const STATE: ResumeState = {
  codes,
  scores,
  guesses: {
    drafts: [
      { code: 3, outcome: { token: 3, distribution }, attempts: 2 },
      { code: 4, outcome: undefined, attempts: 0 },
    ],
    controller,
  },
};

/** The form in which every release has stored `STATE`. */
const STORED = {
  codes,
  judgements: scores,
  guesses: {
    drafts: [
      { code: 3, outcome: { token: 3, law: distribution }, attempts: 2 },
      { code: 4, outcome: undefined, attempts: 0 },
    ],
    patience: controller,
  },
};

Deno.test("storedResumeState() keeps the field names of the first release", () => {
  deepStrictEqual(deserialize(storedResumeState(STATE)), STORED);
});

Deno.test("resumeStateOf() returns the state that a job has stored, with or without drafts", () => {
  deepStrictEqual(resumeStateOf(new Uint8Array(serialize(STORED))), STATE);
  const plain = { codes, scores, guesses: undefined };
  deepStrictEqual(resumeStateOf(storedResumeState(plain)), plain);
});
