/**
 * The chain `refine`: draws a prompt, asks questions about the picture, and
 * draws it again from its last good row with an amended prompt, until the
 * answers are accepted.
 *
 * @module
 */

import type { ChainDefinition } from "../durable/chain.ts";
import type { Steps } from "../durable/steps.ts";
import { type Drawn, generationOptions, type Grid } from "../schema/codes.ts";
import {
  RefineInput,
  RefineOutput,
  type Requirement,
  type Round,
} from "../schema/refine.ts";
import { accepts, amendedPrompt } from "./answers.ts";
import { goodRows } from "./good_rows.ts";

/** The chain `refine`. */
export const refine: ChainDefinition<typeof RefineInput, typeof RefineOutput> =
  {
    name: "refine",
    input: RefineInput,
    output: RefineOutput,
    run: async (steps, { prompt: original, questions, ...input }) => {
      const seed = steps.seed(input.seed);
      const options = generationOptions(input);
      const { model, adapter } = options;
      const rounds: Round[] = [];
      const pictures: Drawn[] = [];
      const lacked = new Set<Requirement>();
      let prompt = original;
      let prefix: Grid | undefined;
      while (true) {
        const round = rounds.length + 1;
        const picture = await steps.draw(`draw-${round}`, {
          prompt,
          seed: seed + round - 1,
          ...prefix && { prefix },
          ...options,
        });
        const { grid } = picture;
        const answers = await ask(steps, { round, grid }, questions);
        const kept = prefix?.codes.length ?? 0;
        pictures.push(picture);
        rounds.push({ prompt, seed: picture.seed, kept, answers });
        const failed = questions.filter((_, i) => !answers[i]!.accepted);
        const satisfied = failed.length === 0;
        if (satisfied || round === input.rounds) {
          return { picture: pictures[bestRound(rounds)]!, satisfied, rounds };
        }
        for (const requirement of failed) lacked.add(requirement);
        const amended = amendedPrompt(original, lacked);
        const rows = { grid, rows: true, model, adapter };
        const before = await steps.score(`rows-${round}`, { ...rows, prompt });
        const after = await steps.score(`amended-rows-${round}`, {
          ...rows,
          prompt: amended,
        });
        const good = goodRows(before.rows!, after.rows!);
        prefix = good === 0 ? undefined : { codes: grid.codes.slice(0, good) };
        prompt = amended;
      }
    },
  };

/** Returns the index of the last round with the most accepted answers. */
function bestRound(rounds: readonly Round[]): number {
  const accepted = rounds.map(({ answers }) =>
    answers.filter(({ accepted }) => accepted).length
  );
  return accepted.lastIndexOf(Math.max(...accepted));
}

/** Asks all questions about the picture of a round. */
async function ask(
  steps: Steps,
  { round, grid }: { readonly round: number; readonly grid: Grid },
  questions: readonly Requirement[],
): Promise<Round["answers"]> {
  const answers: Round["answers"] = [];
  for (const [i, { question, expect }] of questions.entries()) {
    const step = `answer-${round}.${i + 1}`;
    const answer = await steps.caption(step, { grid, question });
    answers.push({ question, answer, accepted: accepts(expect, answer) });
  }
  return answers;
}
