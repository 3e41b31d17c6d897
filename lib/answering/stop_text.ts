/**
 * Text that comes in parts and ends before a stop.
 *
 * ```text
 * stops  "\n\n"
 * parts  "a cat\n"      "\nA: no"
 * said   "a cat"        ""           ended
 * ```
 *
 * What may be the beginning of a stop is held back until it is known. Of
 * several stops the one that is complete first counts, so that it does not
 * matter where parts begin.
 *
 * @module
 */

/** Holds back what may turn out to be a stop. */
export class StopText {
  readonly #stops: readonly string[];
  #held = "";
  #ended = false;

  /** Starts before the first part; no stop is empty. */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Whether a stop has come; nothing is said after it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What is certain to be said once `part` has come. */
  push(part: string): string {
    if (this.#ended) return "";
    const text = this.#held + part;
    const end = this.#firstStop(text);
    this.#ended = end !== undefined;
    const length = end ?? text.length - this.#doubtful(text);
    this.#held = this.#ended ? "" : text.slice(length);
    return text.slice(0, length);
  }

  /** The rest, when no more comes. */
  finish(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  /** Where the stop begins that is complete first; the longest of those. */
  #firstStop(text: string): number | undefined {
    const found = this.#stops
      .map((stop) => ({ start: text.indexOf(stop), length: stop.length }))
      .filter(({ start }) => start >= 0)
      .sort((a, b) =>
        (a.start + a.length) - (b.start + b.length) || a.start - b.start
      );
    return found[0]?.start;
  }

  /** How long the longest end of `text` is that begins a stop. */
  #doubtful(text: string): number {
    const lengths = this.#stops.map((stop) => {
      let length = Math.min(stop.length - 1, text.length);
      while (!stop.startsWith(text.slice(text.length - length))) length--;
      return length;
    });
    return Math.max(0, ...lengths);
  }
}
