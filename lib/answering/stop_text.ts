/**
 * A filter of streamed text that ends before the first stop text.
 *
 * ```text
 * stops  "\n\n"
 * parts  "a cat\n"      "\nA: no"
 * output "a cat"        ""           ended
 * ```
 *
 * Text that may be the beginning of a stop is held back until the next parts
 * decide it. Of several stops, the first complete one applies, so that the
 * result does not depend on the division of the text into parts.
 *
 * @module
 */

/** Holds back text that may be the beginning of a stop. */
export class StopText {
  readonly #stops: readonly string[];
  #held = "";
  #ended = false;

  /** Creates the filter, before the first part; no stop is empty. */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** True once a stop was found; nothing is returned after it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Returns the text that is final once `part` was added. */
  push(part: string): string {
    if (this.#ended) return "";
    const text = this.#held + part;
    const end = this.#firstStop(text);
    this.#ended = end !== undefined;
    const length = end ?? text.length - this.#doubtful(text);
    this.#held = this.#ended ? "" : text.slice(length);
    return text.slice(0, length);
  }

  /** Returns the text still held back, after the last part. */
  finish(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  /**
   * Returns the start of the stop that is complete first; the longest of those.
   */
  #firstStop(text: string): number | undefined {
    const found = this.#stops
      .map((stop) => ({ start: text.indexOf(stop), length: stop.length }))
      .filter(({ start }) => start >= 0)
      .sort((a, b) =>
        (a.start + a.length) - (b.start + b.length) || a.start - b.start
      );
    return found[0]?.start;
  }

  /** Returns the length of the longest end of `text` that begins a stop. */
  #doubtful(text: string): number {
    const lengths = this.#stops.map((stop) => {
      let length = Math.min(stop.length - 1, text.length);
      while (!stop.startsWith(text.slice(text.length - length))) length--;
      return length;
    });
    return Math.max(0, ...lengths);
  }
}
