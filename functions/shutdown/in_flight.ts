/**
 * The requests in flight, as a stopping server needs them: the request, its
 * remaining time, and the state to resume it elsewhere.
 *
 * @module
 */

import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import { isLossless } from "../../lib/drawing/strategy.ts";
import type { GenerationEvent, GenerationParams } from "../../lib/emu3.ts";
import { clipFrameHeight } from "../../lib/clip_layout.ts";
import { type CodeClip, type CodeGrid, firstRows } from "../../lib/grid.ts";

/** A request to one of the functions that repeats the work. */
export interface FunctionRequest {
  /** Path of the function. */
  readonly path: "/v1/generate" | "/v1/caption";
  /** JSON body of the request. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A request in flight. */
export interface InFlight {
  /** Request that gives the same result. */
  readonly request: FunctionRequest;
  /** Seed of its draws. */
  readonly seed: number;
  /** Returns the remaining time in milliseconds; undefined if unknown. */
  readonly remainingMs: () => number | undefined;
  /** Returns the resume states, by picture. */
  readonly resumeStates: () => readonly (ResumeState | undefined)[];
  /** Returns the rows of the only picture; undefined if not resumable. */
  readonly rows: () => CodeGrid | undefined;
  /** Returns whole frames of the only clip; undefined if not resumable. */
  readonly clip?: () => CodeClip | undefined;
}

/** A drawing in flight. */
export class GenerationInFlight implements InFlight {
  readonly #params: GenerationParams;
  readonly #now: () => number;
  readonly #resumeStates: (() => ResumeState | undefined)[] = [];
  /** Codes of the first picture, row by row. */
  readonly #codes: number[] = [];
  #done = 0;
  #startedAt: number | undefined;
  #firstAt = 0;
  #lastAt = 0;
  /** Request that gives the same result. */
  readonly request: FunctionRequest;

  /**
   * Creates a drawing without rows.
   *
   * @param now A clock, in milliseconds.
   */
  constructor(
    fields: FunctionRequest["fields"],
    params: GenerationParams,
    now: () => number = () => performance.now(),
  ) {
    this.request = { path: "/v1/generate", fields };
    this.#params = params;
    this.#now = now;
  }

  /** Seed of its draws. */
  get seed(): number {
    return this.#params.seed;
  }

  /** Records progress; files and the end change nothing. */
  note(
    event: GenerationEvent | {
      readonly type: "frame" | "image" | "clip" | "completed";
    },
  ): void {
    if (event.type === "started") {
      this.#startedAt = this.#lastAt = this.#now();
    } else if (event.type === "row") {
      this.#done++;
      this.#lastAt = this.#now();
      if (this.#done === 1) this.#firstAt = this.#lastAt;
      this.#resumeStates[event.imageIndex] = event.resumeState;
      if (event.imageIndex === 0) {
        event.row.codes.forEach((code) => this.#codes.push(code));
      }
    }
  }

  /**
   * Estimates the remaining time from the pace of its rows, or from the current
   * row if that takes longer: after a minute without a row, ten more take at
   * least ten minutes.
   */
  readonly remainingMs = (): number | undefined => {
    if (this.#startedAt === undefined) return undefined;
    const { count, size, prefix } = this.#params;
    const total = count * (size.height - (prefix?.height ?? 0));
    const steady = this.#done < 2
      ? 0
      : (this.#lastAt - this.#firstAt) / (this.#done - 1);
    const pace = Math.max(steady, this.#now() - this.#lastAt);
    return pace * (total - this.#done);
  };

  /** Returns the resume states of this moment, by picture. */
  readonly resumeStates = (): readonly (ResumeState | undefined)[] =>
    Array.from(this.#resumeStates, (resumeState) => resumeState?.());

  /** Returns the given rows and those that were drawn, of a picture. */
  readonly rows = (): CodeGrid | undefined =>
    this.#params.clip === undefined ? this.#rowsOf(1) : undefined;

  /**
   * Returns the given frames and those that were drawn. An interleaved clip
   * states its given frames, so that it would go on otherwise.
   */
  readonly clip = (): CodeClip | undefined => {
    const { clip, size } = this.#params;
    if (clip === undefined || clip.form.interleaved) return undefined;
    const height = clipFrameHeight(clip, size);
    const grid = this.#rowsOf(height);
    if (grid === undefined) return undefined;
    const { width, codes } = grid;
    const { framesPerCode } = clip;
    return {
      frames: grid.height / height,
      height,
      width,
      framesPerCode,
      codes,
    };
  };

  /**
   * Returns all rows in steps of `step`, but not the whole. Lossy strategies
   * would draw others, pictures after the first draw from streams that no
   * request can name, and kept codes are not rows.
   */
  #rowsOf(step: number): CodeGrid | undefined {
    const { count, size, prefix, keep, strategy } = this.#params;
    if (count > 1 || keep !== undefined || !isLossless(strategy)) return;
    const { width } = size;
    const codes = Uint16Array.from([...prefix?.codes ?? [], ...this.#codes]);
    const height = codes.length / width;
    const whole = Math.min(height - height % step, size.height - step);
    if (whole <= 0) return;
    return firstRows({ height, width, codes }, whole);
  }
}

/** Returns an answer in flight: text is generated again, in unknown time. */
export function captioningInFlight(
  fields: FunctionRequest["fields"],
  seed: number,
): InFlight {
  return {
    request: { path: "/v1/caption", fields },
    seed,
    remainingMs: () => undefined,
    resumeStates: () => [],
    rows: () => undefined,
  };
}
