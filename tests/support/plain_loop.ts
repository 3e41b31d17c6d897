/**
 * The toy model, and the simplest loop that runs a policy on it.
 *
 * A token's state is a fixed function of the token, its position and the states
 * that it attends to, in order of position, like keys and values. It is
 * computed once, when the token is appended, so that a token appended early
 * does not attend to tokens inserted before it later.
 *
 * The loop is strict: a draft that breaks the contract is an error.
 *
 * @module
 */

import type { Draft, Policy, ScoredLogits } from "../../lib/engine/policy.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";

/** The logits of a toy model, by state and row of the batch. */
export interface ToyModel {
  /** Rows: one, or conditional and unconditional. */
  readonly rows: number;
  /** Returns logits `[V]`. */
  readonly logits: (row: number, state: number) => Float32Array<ArrayBuffer>;
}

/** The record of a policy's run. */
export interface PlainRun {
  /** Drafts in order. */
  readonly drafts: readonly Draft[];
  /** Token that was last appended at each position, accepted or not. */
  readonly appended: ReadonlyMap<number, number>;
}

/** State of the prompt's last token, in each row. */
const PROMPT = 17;

/** An appended token. */
interface Cell {
  readonly token: number;
  readonly positionId: number;
  /** States, one per row. */
  readonly states: readonly number[];
}

/** Returns the state of `token` after those that it attends to, in order. */
export function stateAfter(
  seen: readonly number[],
  token: number,
  positionId: number,
): number {
  let state = mix(token + 1, positionId + 1);
  for (const other of seen) state = mix(state, other);
  return state;
}

/** Returns the states of consecutive tokens, after that of the prompt. */
export function statesOf(tokens: readonly number[]): number[] {
  const states = [PROMPT];
  for (const [positionId, token] of tokens.entries()) {
    states.push(stateAfter(states, token, positionId));
  }
  return states;
}

/**
 * Creates a model with logits in steps of a quarter, so that some tie, and with
 * some at minus infinity.
 */
export function toyModel(
  vocabulary: Pick<Vocabulary, "codebookSize">,
  { rows = 1, seed = 0, dull = 0, levels = 12 } = {},
): ToyModel {
  return {
    rows,
    logits: (row, state) =>
      Float32Array.from({ length: vocabulary.codebookSize }, (_, code) => {
        const random = mix(mix(state, seed), 31 * row + code);
        // The first code is always possible, so that one remains.
        const impossible = code > 0 && random % 100 < dull;
        return impossible ? -Infinity : (random >>> 8) % levels / 4;
      }),
  };
}

/**
 * Runs `policy` from the prompt to its end.
 *
 * @param given Tokens at the end of the prompt.
 */
export function runPlainly(
  policy: Pick<Policy, "choose">,
  model: ToyModel,
  given: readonly number[] = [],
): PlainRun {
  const cells: Cell[] = [];
  const drafts: Draft[] = [];
  const appended = new Map<number, number>();
  const rows = [...Array(model.rows).keys()];
  const nothing = { kept: 0, scored: [] };
  if (given.length > 0) append(cells, { ...nothing, tokens: given }, rows);
  const last = cells.at(-1);
  let scored: ScoredLogits = [
    rows.map((row) => model.logits(row, last?.states[row] ?? PROMPT)),
  ];
  while (true) {
    const draft = policy.choose(scored);
    if (draft === undefined) return { drafts, appended };
    const before = drafts.at(-1)?.tokens.length ?? 0;
    if (draft.kept < 0 || draft.kept > before) throw new Error("kept");
    cells.length -= before - draft.kept;
    drafts.push(draft);
    append(cells, draft, rows);
    const fresh = cells.slice(cells.length - draft.tokens.length);
    for (const { token, positionId } of fresh) appended.set(positionId, token);
    scored = scores(fresh, draft, model, rows);
  }
}

function append(
  cells: Cell[],
  { tokens, positionIds }: Draft,
  rows: readonly number[],
): void {
  if (tokens.length === 0) throw new Error("nothing to append");
  if (positionIds !== undefined && positionIds.length !== tokens.length) {
    throw new Error("position ids");
  }
  const held = cells.length;
  for (const [i, token] of tokens.entries()) {
    const positionId = positionIds?.[i] ?? held + i;
    if (i > 0 && positionId <= cells.at(-1)!.positionId) {
      throw new Error("position ids of a draft do not ascend");
    }
    if (cells.some((cell) => cell.positionId === positionId)) {
      throw new Error(`position id ${positionId} is taken`);
    }
    const seen = cells.filter((cell) => cell.positionId < positionId)
      .sort((a, b) => a.positionId - b.positionId);
    const states = rows.map((row) => {
      const before = seen.map(({ states }) => states[row]!);
      return stateAfter([PROMPT, ...before], token, positionId);
    });
    cells.push({ token, positionId, states });
  }
}

function scores(
  fresh: readonly Cell[],
  { scored }: Draft,
  model: ToyModel,
  rows: readonly number[],
): ScoredLogits {
  if (scored.length === 0) throw new Error("the draft scores no token");
  if (scored.some((index, i) => i > 0 && index <= scored[i - 1]!)) {
    throw new Error("scored is not ascending");
  }
  return scored.map((index) => {
    const cell = fresh[index];
    if (cell === undefined) throw new Error("scored lies outside");
    return rows.map((row) => model.logits(row, cell.states[row]!));
  });
}

/** Hashes two numbers into 31 bits. */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e37_79b9, 0x85eb_ca6b) ^
    Math.imul(b + 1, 0xc2b2_ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b_3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a_2d39);
  return (h ^ (h >>> 15)) >>> 1;
}
