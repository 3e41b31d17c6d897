/**
 * A toy model and the plainest loop that runs a policy on it.
 *
 * A token's state is a stated function of the token, its place and the states
 * that it sees, in order of place: as keys and values are. It is made once, when
 * the token is fed, so that a token which is fed early does not see what comes
 * to stand before it later.
 *
 * The loop keeps no secrets: a draft that breaks the contract is an error.
 *
 * @module
 */

import type { Draft, Policy, ScoredLogits } from "../../lib/engine/policy.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";

/** What a toy model makes of a state, by row of the batch. */
export interface ToyModel {
  /** One, or conditional and unconditional. */
  readonly rows: number;
  /** `[V]` */
  readonly logits: (row: number, state: number) => Float32Array<ArrayBuffer>;
}

/** What happened while a policy ran. */
export interface PlainRun {
  /** Every draft, in order. */
  readonly drafts: readonly Draft[];
  /** What was fed last at each place, kept or not. */
  readonly fed: ReadonlyMap<number, number>;
}

/** The state of the prompt's last token, in each row. */
const PROMPT = 17;

/** A token that was fed. */
interface Cell {
  readonly token: number;
  readonly place: number;
  /** One a row. */
  readonly states: readonly number[];
}

/** The state of `token` after those that it sees, in order. */
export function stateAfter(
  seen: readonly number[],
  token: number,
  place: number,
): number {
  let state = mix(token + 1, place + 1);
  for (const other of seen) state = mix(state, other);
  return state;
}

/** States of tokens that follow each other; that of the prompt is first. */
export function statesOf(tokens: readonly number[]): number[] {
  const states = [PROMPT];
  for (const [place, token] of tokens.entries()) {
    states.push(stateAfter(states, token, place));
  }
  return states;
}

/** Logits in steps of a quarter, so that some tie; dull ones cannot be drawn. */
export function toyModel(
  vocabulary: Pick<Vocabulary, "codebookSize">,
  { rows = 1, seed = 0, dull = 0, levels = 12 } = {},
): ToyModel {
  return {
    rows,
    logits: (row, state) =>
      Float32Array.from({ length: vocabulary.codebookSize }, (_, code) => {
        const random = mix(mix(state, seed), 31 * row + code);
        // The first code always can, lest none is left.
        const impossible = code > 0 && random % 100 < dull;
        return impossible ? -Infinity : (random >>> 8) % levels / 4;
      }),
  };
}

/**
 * Runs `policy` from the prompt to its end.
 *
 * @param given Tokens that the prompt ends with.
 */
export function runPlainly(
  policy: Pick<Policy, "choose">,
  model: ToyModel,
  given: readonly number[] = [],
): PlainRun {
  const cells: Cell[] = [];
  const drafts: Draft[] = [];
  const fed = new Map<number, number>();
  const rows = [...Array(model.rows).keys()];
  const nothing = { kept: 0, judged: [] };
  if (given.length > 0) append(cells, { ...nothing, tokens: given }, rows);
  const last = cells.at(-1);
  let judged: ScoredLogits = [
    rows.map((row) => model.logits(row, last?.states[row] ?? PROMPT)),
  ];
  while (true) {
    const draft = policy.choose(judged);
    if (draft === undefined) return { drafts, fed };
    const before = drafts.at(-1)?.tokens.length ?? 0;
    if (draft.kept < 0 || draft.kept > before) throw new Error("kept");
    cells.length -= before - draft.kept;
    drafts.push(draft);
    append(cells, draft, rows);
    const fresh = cells.slice(cells.length - draft.tokens.length);
    for (const { token, place } of fresh) fed.set(place, token);
    judged = judgements(fresh, draft, model, rows);
  }
}

function append(
  cells: Cell[],
  { tokens, places }: Draft,
  rows: readonly number[],
): void {
  if (tokens.length === 0) throw new Error("nothing to append");
  if (places !== undefined && places.length !== tokens.length) {
    throw new Error("places");
  }
  const held = cells.length;
  for (const [i, token] of tokens.entries()) {
    const place = places?.[i] ?? held + i;
    if (i > 0 && place <= cells.at(-1)!.place) {
      throw new Error("places of a draft do not ascend");
    }
    if (cells.some((cell) => cell.place === place)) {
      throw new Error(`place ${place} is taken`);
    }
    const seen = cells.filter((cell) => cell.place < place)
      .sort((a, b) => a.place - b.place);
    const states = rows.map((row) => {
      const before = seen.map(({ states }) => states[row]!);
      return stateAfter([PROMPT, ...before], token, place);
    });
    cells.push({ token, place, states });
  }
}

function judgements(
  fresh: readonly Cell[],
  { judged }: Draft,
  model: ToyModel,
  rows: readonly number[],
): ScoredLogits {
  if (judged.length === 0) throw new Error("nothing to judge");
  if (judged.some((index, i) => i > 0 && index <= judged[i - 1]!)) {
    throw new Error("judged is not ascending");
  }
  return judged.map((index) => {
    const cell = fresh[index];
    if (cell === undefined) throw new Error("judged lies outside");
    return rows.map((row) => model.logits(row, cell.states[row]!));
  });
}

/** A 31-bit number that depends on both. */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e37_79b9, 0x85eb_ca6b) ^
    Math.imul(b + 1, 0xc2b2_ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b_3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a_2d39);
  return (h ^ (h >>> 15)) >>> 1;
}
