/**
 * What is under way, as a server sees it that has to stop: what was asked, how
 * long it still takes, and what it takes to go on elsewhere.
 *
 * @module
 */

import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import { isLossless } from "../../lib/drawing/strategy.ts";
import type { GenerationParams } from "../../lib/emu3.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { DrawingProgress } from "../inference/generation_events.ts";

/** A request to one of our own functions, that gives what was asked for. */
export interface AskedFunction {
  /** Where it is sent. */
  readonly path: "/v1/generate" | "/v1/caption";
  /** Its body. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Something that is under way. */
export interface InFlight {
  /** What gives the same. */
  readonly asked: AskedFunction;
  /** That it draws with. */
  readonly seed: number;
  /** How long it still takes, in milliseconds; undefined where nobody can tell. */
  readonly remainingMs: () => number | undefined;
  /** By picture, what it takes to go on. */
  readonly halfways: () => readonly (ResumeState | undefined)[];
  /** Rows of the one picture so far; undefined for what cannot go on by them. */
  readonly rows: () => CodeGrid | undefined;
}

/** A drawing that is under way. */
export class DrawingUnderWay implements InFlight {
  readonly #scene: GenerationParams;
  readonly #now: () => number;
  readonly #halfways: (() => ResumeState | undefined)[] = [];
  /** Codes of the first picture, row by row. */
  readonly #codes: number[] = [];
  #done = 0;
  #startedAt: number | undefined;
  #firstAt = 0;
  #lastAt = 0;
  /** What gives the same. */
  readonly asked: AskedFunction;

  /**
   * Has drawn nothing yet.
   *
   * @param now A clock, in milliseconds.
   */
  constructor(
    fields: AskedFunction["fields"],
    scene: GenerationParams,
    now: () => number = () => performance.now(),
  ) {
    this.asked = { path: "/v1/generate", fields };
    this.#scene = scene;
    this.#now = now;
  }

  /** That it draws with. */
  get seed(): number {
    return this.#scene.seed;
  }

  /** Hears what happens. */
  note(event: DrawingProgress): void {
    if (event.type === "started") {
      this.#startedAt = this.#lastAt = this.#now();
    } else if (event.type === "row") {
      this.#done++;
      this.#lastAt = this.#now();
      if (this.#done === 1) this.#firstAt = this.#lastAt;
      this.#halfways[event.imageIndex] = event.halfway;
      if (event.imageIndex === 0) {
        event.row.codes.forEach((code) => this.#codes.push(code));
      }
    }
  }

  /**
   * By the pace of its rows, or by how long the one at hand takes, if that is
   * longer: who has not drawn a row in a minute does not draw ten in the next.
   */
  readonly remainingMs = (): number | undefined => {
    if (this.#startedAt === undefined) return undefined;
    const { count, size, prefix } = this.#scene;
    const total = count * (size.height - (prefix?.height ?? 0));
    const steady = this.#done < 2
      ? 0
      : (this.#lastAt - this.#firstAt) / (this.#done - 1);
    const pace = Math.max(steady, this.#now() - this.#lastAt);
    return pace * (total - this.#done);
  };

  /** By picture, what it takes to go on from where it is now. */
  readonly halfways = (): readonly (ResumeState | undefined)[] =>
    Array.from(this.#halfways, (halfway) => halfway?.());

  /**
   * The given rows and those that were drawn. What guesses several rows at once
   * would guess otherwise, pictures after the first draw from streams of their
   * own that no request can name, and codes that stay are no rows.
   */
  readonly rows = (): CodeGrid | undefined => {
    const { count, size, prefix, keep, strategy } = this.#scene;
    const several = count > 1 || keep !== undefined;
    if (several || !isLossless(strategy)) return undefined;
    const codes = Uint16Array.from([...prefix?.codes ?? [], ...this.#codes]);
    const height = codes.length / size.width;
    // All of them are a picture already, and no beginning of one.
    const rows = Math.min(height, size.height - 1);
    if (rows === 0) return undefined;
    const { width } = size;
    return { height: rows, width, codes: codes.slice(0, rows * width) };
  };
}

/** An answer that is under way: text is drawn again, nobody knows how long. */
export function answerUnderWay(
  fields: AskedFunction["fields"],
  seed: number,
): InFlight {
  return {
    asked: { path: "/v1/caption", fields },
    seed,
    remainingMs: () => undefined,
    halfways: () => [],
    rows: () => undefined,
  };
}
