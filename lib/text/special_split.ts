/**
 * The splitter that finds special tokens in a text.
 *
 * ```text
 * "a<|image start|>b"  →  "a", 151852, "b"
 * ```
 *
 * A partial name of a special token is ordinary text.
 *
 * @module
 */
import type { SpecialTokens } from "../special_tokens.ts";

/** A part of ordinary text, or a special token. */
export type TextPart = string | number;

/** Splits text at the names of `specials`; the longest name wins. */
export class SpecialSplitter {
  readonly #specials: SpecialTokens;
  /** Lengths of names, longest first, by their first character. */
  readonly #lengths = new Map<string, number[]>();
  /** Last characters of names, by the length of the name. */
  readonly #ends = new Map<number, Set<string>>();

  /** Creates a splitter for `specials`. */
  constructor(specials: SpecialTokens) {
    this.#specials = specials;
    const lengths = new Map<string, Set<number>>();
    for (const name of specials.keys()) {
      const first = name.charAt(0);
      lengths.set(first, (lengths.get(first) ?? new Set()).add(name.length));
      const ends = this.#ends.get(name.length) ?? new Set();
      this.#ends.set(name.length, ends.add(name.charAt(name.length - 1)));
    }
    for (const [first, set] of lengths) {
      this.#lengths.set(first, [...set].sort((a, b) => b - a));
    }
  }

  /** Returns the parts of `text`, without empty ones. */
  split(text: string): TextPart[] {
    const parts: TextPart[] = [];
    let start = 0;
    let at = 0;
    while (at < text.length) {
      const name = this.#nameAt(text, at);
      const token = name === undefined ? undefined : this.#specials.get(name);
      if (name === undefined || token === undefined) {
        at++;
        continue;
      }
      if (at > start) parts.push(text.slice(start, at));
      parts.push(token);
      at += name.length;
      start = at;
    }
    if (start < text.length) parts.push(text.slice(start));
    return parts;
  }

  #nameAt(text: string, at: number): string | undefined {
    for (const length of this.#lengths.get(text.charAt(at)) ?? []) {
      // Cheaper than looking up every substring that starts like a name.
      const end = text.charAt(at + length - 1);
      if (!this.#ends.get(length)!.has(end)) continue;
      const name = text.slice(at, at + length);
      if (this.#specials.has(name)) return name;
    }
    return undefined;
  }
}

/**
 * Returns the tokens of `parts`, given those of its ordinary texts in order.
 */
export function joinParts(
  parts: readonly TextPart[],
  encoded: readonly Int32Array[],
): Int32Array<ArrayBuffer> {
  const tokensInTexts = encoded.reduce((sum, tokens) => sum + tokens.length, 0);
  const tokens = new Int32Array(parts.length - encoded.length + tokensInTexts);
  let at = 0;
  let texts = 0;
  for (const part of parts) {
    const next = typeof part === "number" ? [part] : encoded[texts++]!;
    tokens.set(next, at);
    at += next.length;
  }
  return tokens;
}
