/**
 * The speculative Jacobi strategy: drafts a window of codes, scores all of it
 * in one forward pass and keeps the codes that were right.
 *
 * ```text
 *              decided │ drafts
 * appended    …  a     │ d  d  d  EOL  d
 * scored         │       │  │  │       └▶ new
 *                ▼       ▼  ▼  ▼
 * resampled      d       d  x  y        x ≠ d: decided, but what follows it was
 *                └─ decided ┘  draft    scored after a wrong code
 * ```
 *
 * Every scored code is resampled from its new distribution, coupled to its
 * draft, so that codes settle from left to right and most drafts behind a wrong
 * one stay (MC-SJD). A code is decided once everything before it is, by a draw
 * from its distribution given just that: pictures have the same distribution as
 * in autoregressive drawing. At temperature 0 they are the same.
 *
 * A window never reaches beyond the last code. While drafts are rarely right,
 * codes are drawn one by one (`speculation.ts`).
 *
 * Source: Teng et al., "Accelerating Auto-regressive Text-to-Image Generation
 * with Training-free Speculative Jacobi Decoding", ICLR 2025, and its
 * maximal-coupling variant.
 *
 * @module
 */

import type { Draft, ScoredLogits } from "../engine/policy.ts";
import type { CodeGrid } from "../grid.ts";
import { resample } from "../sampling/coupling.ts";
import { type Distribution, distributionOf } from "../sampling/sampler.ts";
import {
  type DrawingOptions,
  type DrawingPolicy,
  guidedLogits,
} from "./drawing.ts";
import type { DrawnGrid } from "./drawn_grid.ts";
import type { DraftCode, ResumeState } from "./resume_state.ts";
import {
  SpeculationController,
  type SpeculationOptions,
} from "./speculation.ts";

/** Draws a picture, a window of codes at a time. */
export class JacobiDrawing implements DrawingPolicy {
  readonly head = "codes";
  readonly #drawn: DrawnGrid;
  readonly #options: DrawingOptions;
  readonly #window: number;
  readonly #controller: SpeculationController;
  /** Drafts of the first codes that are not decided. */
  #drafts: DraftCode[];
  /** The first code that is not decided. */
  #position: number;
  /** The first code that is not yet appended with its decided value. */
  #unfed = 0;
  /**
   * The position at which the last draft starts; undefined before the first.
   */
  #fedFrom: number | undefined;
  /** True while codes of the resume state are still to be appended. */
  #restored: boolean;

  /**
   * Creates the policy, which continues where `drawn` starts.
   *
   * @param window Codes scored in a forward pass, 1 or more, while speculation
   * pays.
   */
  constructor(
    drawn: DrawnGrid,
    options: DrawingOptions,
    window: number,
    controller?: SpeculationOptions,
  ) {
    this.#drawn = drawn;
    this.#options = options;
    this.#window = window;
    const { guesses } = options.resumeState ?? {};
    this.#controller = new SpeculationController(
      controller,
      guesses?.controller,
    );
    this.#drafts = [...guesses?.drafts ?? []];
    this.#position = drawn.reached;
    this.#restored = drawn.reached > drawn.start;
  }

  get grid(): CodeGrid {
    return this.#drawn.grid;
  }

  get resumeState(): ResumeState {
    return {
      ...this.#drawn.resumeStateAt(this.#position),
      guesses: {
        drafts: [...this.#drafts],
        controller: this.#controller.state,
      },
    };
  }

  choose(scored: ScoredLogits): Draft | undefined {
    // The logits of the prompt's last token show codes decided before the stop.
    if (this.#restored) this.#drawn.reportRestored();
    else this.#accept(scored);
    return this.#position < this.#drawn.end ? this.#nextDraft() : undefined;
  }

  /** Resamples the scored codes; decides up to the first that changes. */
  #accept(scored: ScoredLogits): void {
    const { guidanceScale, sampling } = this.#options;
    const first = this.#position;
    // True if all codes before are decided.
    let settled = true;
    const resampled = scored.map((rows, i) => {
      const logits = guidedLogits(rows, guidanceScale);
      const before = this.#drafts[i];
      const kept = this.#drawn.keptAt(first + i);
      const resampled = kept === undefined
        ? this.#resample(first + i, distributionOf(logits, sampling), before)
        : keptCode(kept);
      if (settled) {
        this.#drawn.decide(first + i, resampled.code, logits);
        this.#position++;
        settled = resampled.code === before?.code;
      }
      return resampled;
    });
    const decided = this.#position - first;
    this.#drafts = [...resampled, ...this.#drafts.slice(resampled.length)]
      .slice(decided);
    this.#controller.note(decided);
    this.#skipKept();
    if (this.#controller.guesses) return;
    // A code that is not scored for a while is a guess again, but is not
    // resampled with the same random numbers.
    this.#drafts = this.#drafts.map((draft) => ({
      ...draft,
      outcome: undefined,
    }));
  }

  /**
   * Decides codes that stay, which need no scores; the newest code is appended with
   * them.
   */
  #skipKept(): void {
    this.#unfed = this.#position - 1;
    const next = this.#drawn.skipKept(this.#position);
    this.#drafts = this.#drafts.slice(next - this.#position);
    this.#position = next;
  }

  #resample(
    position: number,
    distribution: Distribution,
    before: DraftCode | undefined,
  ): DraftCode {
    const attempt = before?.attempts ?? 0;
    const chance = this.#options.chanceAt(position, attempt);
    const token = resample(before?.outcome, distribution, chance);
    return {
      code: token,
      outcome: { token, distribution },
      attempts: attempt + 1,
    };
  }

  /** Returns a draft of the last decided code and the codes behind it. */
  #nextDraft(): Draft {
    const drawn = this.#drawn;
    const newest = this.#position - 1;
    const first = this.#restored ? drawn.start : this.#unfed;
    this.#restored = false;
    const fedFrom = drawn.positionIdOf(first);
    // All tokens before the newest code were appended as they were decided.
    const kept = this.#fedFrom === undefined ? 0 : fedFrom - this.#fedFrom;
    this.#fedFrom = fedFrom;
    const window = this.#controller.guesses ? this.#window : 1;
    const last = Math.min(newest + window, drawn.end - 1);
    const tokens = drawn.decidedTokens(first, newest);
    const scored: number[] = [];
    for (let position = newest; position < last; position++) {
      tokens.push(...drawn.tokensOf(position, this.#codeAt(position)));
      scored.push(tokens.length - 1);
    }
    return { kept, tokens, scored };
  }

  /**
   * Returns the decided or drafted code, or else a guess, which becomes a
   * draft.
   */
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
    // The code above is a better guess than the one before, which beats none.
    const code = this.#codeAt(position - (position < width ? 1 : width));
    this.#drafts.push({ code, outcome: undefined, attempts: 0 });
    return code;
  }
}

/** Returns the draft of a code that stays and is never resampled. */
function keptCode(code: number): DraftCode {
  return { code, outcome: undefined, attempts: 0 };
}
