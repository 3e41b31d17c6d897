/**
 * The speculative Jacobi strategy: drafts a window of codes, scores it in one
 * forward pass and accepts the correct drafts.
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
 * draft, so that codes converge from left to right and most drafts after a
 * wrong one stay (MC-SJD). A code is decided once all codes before it are, by a
 * draw from its distribution given those: pictures have the same distribution
 * as in autoregressive drawing. At temperature 0 they are equal.
 *
 * A window ends at the last code. While few drafts are correct, codes are drawn
 * one by one (`speculation.ts`).
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

/** Draws a picture in windows of codes. */
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
  /** The first code that was not appended with its decided value. */
  #unappended = 0;
  /** Position id of the last draft's first token; undefined before it. */
  #draftStart: number | undefined;
  /** True until the codes of the resume state were appended. */
  #restored: boolean;

  /**
   * Creates the policy, which continues where `drawn` starts.
   *
   * @param window Number of codes scored in a forward pass while speculating, 1
   * or more.
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
    // The first logits, of the prompt's last token, precede the restored codes.
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
    // A code that is not scored for a while becomes an unsampled guess, but
    // keeps its number of attempts, so that no random number is used twice.
    this.#drafts = this.#drafts.map((draft) => ({
      ...draft,
      outcome: undefined,
    }));
  }

  /**
   * Decides kept codes, which need no scores; the newest code is appended with
   * them.
   */
  #skipKept(): void {
    this.#unappended = this.#position - 1;
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

  /** Returns a draft of the last decided code and the codes after it. */
  #nextDraft(): Draft {
    const drawn = this.#drawn;
    const newest = this.#position - 1;
    const first = this.#restored ? drawn.start : this.#unappended;
    this.#restored = false;
    const draftStart = drawn.positionIdOf(first);
    // All tokens before the newest code were appended when they were decided.
    const kept = this.#draftStart === undefined
      ? 0
      : draftStart - this.#draftStart;
    this.#draftStart = draftStart;
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
   * Returns the decided or drafted code, else a guess, which becomes a draft.
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
    // Only codes after the first are drafted.
    const code = this.#codeAt(this.#drawn.guessOf(position)!);
    this.#drafts.push({ code, outcome: undefined, attempts: 0 });
    return code;
  }
}

/** Returns the draft of a kept code, which is never resampled. */
function keptCode(code: number): DraftCode {
  return { code, outcome: undefined, attempts: 0 };
}
