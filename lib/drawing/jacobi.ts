/**
 * Speculative Jacobi decoding: guess a window of codes, judge all of it in one
 * forward, keep the codes that were right.
 *
 * ```text
 *             decided │ drafts
 * fed      …  a       │ d  d  d  EOL  d
 * judged      │         │  │      │   └▶ new
 *             ▼         ▼  ▼      ▼
 * redrawn     d         d  x      y       x ≠ d: decided, and what follows it
 *             └─ decided ──┘      draft   was judged after a wrong code
 * ```
 *
 * Every judged code is redrawn from its new law, coupled to what it was, so
 * that codes settle from left to right and most drafts behind a wrong one stay
 * (MC-SJD). A code is decided once everything before it is, by a draw from its
 * law given just that: pictures have the law of drawing one code after the
 * other. At temperature 0 they are the same.
 *
 * A window never reaches beyond the last code. Where guesses are rarely right,
 * codes are drawn one by one (`patience.ts`).
 *
 * Source: Teng et al., "Accelerating Auto-regressive Text-to-Image Generation
 * with Training-free Speculative Jacobi Decoding", ICLR 2025, and its
 * maximal-coupling variant.
 *
 * @module
 */

import type { Draft, ScoredLogits } from "../engine/policy.ts";
import type { CodeGrid } from "../grid.ts";
import { redraw } from "../sampling/coupling.ts";
import { type Distribution, distribution } from "../sampling/sampler.ts";
import {
  type DrawingOptions,
  type DrawingPolicy,
  guidedLogits,
} from "./drawing.ts";
import type { DrawnGrid } from "./drawn_grid.ts";
import type { DraftCode, ResumeState } from "./resume_state.ts";
import { type PatienceOptions, SpeculationController } from "./speculation.ts";

/** Draws a window of codes at a time. */
export class JacobiDrawing implements DrawingPolicy {
  readonly head = "codes";
  readonly #drawn: DrawnGrid;
  readonly #options: DrawingOptions;
  readonly #window: number;
  readonly #patience: SpeculationController;
  /** Of the first codes that are not decided. */
  #drafts: DraftCode[];
  /** The first code that is not decided. */
  #position: number;
  /** The first code that was not fed as it was decided. */
  #unfed = 0;
  /** Where the last draft starts; undefined before the first. */
  #fedFrom: number | undefined;
  /** Whether what was decided half-way is still to be fed. */
  #restored: boolean;

  /**
   * Goes on where `drawn` starts.
   *
   * @param window Codes judged a forward, 1 or more, while guesses are worth it.
   */
  constructor(
    drawn: DrawnGrid,
    options: DrawingOptions,
    window: number,
    patience?: PatienceOptions,
  ) {
    this.#drawn = drawn;
    this.#options = options;
    this.#window = window;
    const { guesses } = options.halfway ?? {};
    this.#patience = new SpeculationController(patience, guesses?.patience);
    this.#drafts = [...guesses?.drafts ?? []];
    this.#position = drawn.reached;
    this.#restored = drawn.reached > drawn.start;
  }

  get grid(): CodeGrid {
    return this.#drawn.grid;
  }

  get halfway(): ResumeState {
    return {
      ...this.#drawn.resumeStateAt(this.#position),
      guesses: { drafts: [...this.#drafts], patience: this.#patience.state },
    };
  }

  choose(judged: ScoredLogits): Draft | undefined {
    // What the prompt's last token says was decided before it stopped.
    if (this.#restored) this.#drawn.tellRestored();
    else this.#settle(judged);
    return this.#position < this.#drawn.end ? this.#nextDraft() : undefined;
  }

  /** Redraws what was judged; decides up to the first that changes. */
  #settle(judged: ScoredLogits): void {
    const { guidanceScale, sampling } = this.#options;
    const first = this.#position;
    // Whether all codes before are decided.
    let settled = true;
    const redrawn = judged.map((rows, i) => {
      const logits = guidedLogits(rows, guidanceScale);
      const before = this.#drafts[i];
      const kept = this.#drawn.keptAt(first + i);
      const redrawn = kept === undefined
        ? this.#redraw(first + i, distribution(logits, sampling), before)
        : keptCode(kept);
      if (settled) {
        this.#drawn.decide(first + i, redrawn.code, logits);
        this.#position++;
        settled = redrawn.code === before?.code;
      }
      return redrawn;
    });
    const decided = this.#position - first;
    this.#drafts = [...redrawn, ...this.#drafts.slice(redrawn.length)]
      .slice(decided);
    this.#patience.note(decided);
    this.#skipKept();
    if (this.#patience.guesses) return;
    // What is not judged for a while is a guess again, but not drawn anew with
    // the same chances.
    this.#drafts = this.#drafts.map((draft) => ({
      ...draft,
      outcome: undefined,
    }));
  }

  /** Codes that stay need no judgement; the newest code is fed with them. */
  #skipKept(): void {
    this.#unfed = this.#position - 1;
    const next = this.#drawn.skipKept(this.#position);
    this.#drafts = this.#drafts.slice(next - this.#position);
    this.#position = next;
  }

  #redraw(
    position: number,
    law: Distribution,
    before: DraftCode | undefined,
  ): DraftCode {
    const attempt = before?.attempts ?? 0;
    const chance = this.#options.chanceAt(position, attempt);
    const token = redraw(before?.outcome, law, chance);
    return { code: token, outcome: { token, law }, attempts: attempt + 1 };
  }

  /** The last decided code and drafts behind it. */
  #nextDraft(): Draft {
    const drawn = this.#drawn;
    const newest = this.#position - 1;
    const first = this.#restored ? drawn.start : this.#unfed;
    this.#restored = false;
    const fedFrom = drawn.placeOf(first);
    // Whatever stands before the newest code was fed as it was decided.
    const kept = this.#fedFrom === undefined ? 0 : fedFrom - this.#fedFrom;
    this.#fedFrom = fedFrom;
    const window = this.#patience.guesses ? this.#window : 1;
    const last = Math.min(newest + window, drawn.end - 1);
    const tokens = drawn.decidedTokens(first, newest);
    const judged: number[] = [];
    for (let position = newest; position < last; position++) {
      tokens.push(...drawn.tokensOf(position, this.#codeAt(position)));
      judged.push(tokens.length - 1);
    }
    return { kept, tokens, judged };
  }

  /** What is decided or drafted; elsewhere a guess, which becomes a draft. */
  #codeAt(position: number): number {
    if (position < this.#position) return this.#drawn.codeAt(position);
    const draft = this.#drafts[position - this.#position];
    if (draft !== undefined) return draft.code;
    const kept = this.#drawn.keptAt(position);
    if (kept !== undefined) {
      this.#drafts.push(keptCode(kept));
      return kept;
    }
    const { width } = this.#options.size;
    // The code above guesses better than the one before, and than none.
    const code = this.#codeAt(position - (position < width ? 1 : width));
    this.#drafts.push({ code, outcome: undefined, attempts: 0 });
    return code;
  }
}

/** The draft of a code that stays, which is never redrawn. */
function keptCode(code: number): DraftCode {
  return { code, outcome: undefined, attempts: 0 };
}
