/**
 * The content negotiation: picks the type of the answer by `Accept` (RFC 9110,
 * 12.5.1).
 *
 * @module
 */

import { NotAcceptableError } from "./errors/errors.ts";

/** One entry of `Accept`. */
interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  /** Weight from 0 to 1; 0 means not acceptable. */
  readonly quality: number;
}

/**
 * The preference of a client for a type: by quality, then by exactness of the
 * range.
 */
interface Wish {
  readonly quality: number;
  readonly exactness: number;
}

/**
 * Returns the type among `offered` that `accept` prefers; the first offered
 * among equals, and if there is no `Accept`.
 *
 * @throws {NotAcceptableError} If none is accepted; lists the offered types.
 */
export function negotiate<T extends string>(
  accept: string | undefined,
  offered: readonly T[],
): T {
  return acceptedTypes(accept, offered)[0];
}

/**
 * Returns all types among `offered` that `accept` covers, in the order of
 * {@linkcode negotiate}: for bodies that decide which of them are possible.
 *
 * @throws {NotAcceptableError} If none is accepted; lists the offered types.
 */
export function acceptedTypes<T extends string>(
  accept: string | undefined,
  offered: readonly T[],
): readonly [T, ...T[]] {
  const ranges = parseAccept(accept ?? "*/*");
  const [first, ...others] = offered
    .map((type) => ({ type, wish: wishFor(type, ranges) }))
    .filter(({ wish }) => wish.quality > 0)
    .sort((a, b) => compare(b.wish, a.wish))
    .map(({ type }) => type);
  if (first === undefined) throw new NotAcceptableError(offered);
  return [first, ...others];
}

function parseAccept(accept: string): MediaRange[] {
  return accept.split(",").flatMap((entry) => {
    const [range = "", ...parameters] = entry.trim().toLowerCase().split(";");
    const [type, subtype] = range.trim().split("/");
    if (!type || !subtype) return [];
    const weight = parameters
      .map((parameter) => /^\s*q\s*=\s*([\d.]+)\s*$/.exec(parameter)?.[1])
      .find((value) => value !== undefined);
    const quality = Math.min(1, Number(weight ?? 1)) || 0;
    return [{ type, subtype, quality }];
  });
}

/** Returns the preference by the most exact range that covers `mediaType`. */
function wishFor(mediaType: string, ranges: readonly MediaRange[]): Wish {
  const [type, subtype] = mediaType.split("/");
  let wish: Wish = { quality: 0, exactness: -1 };
  for (const range of ranges) {
    if (range.type !== type && range.type !== "*") continue;
    if (range.subtype !== subtype && range.subtype !== "*") continue;
    const exactness = (range.type === "*" ? 0 : 1) +
      (range.subtype === "*" ? 0 : 1);
    if (exactness > wish.exactness) {
      wish = { quality: range.quality, exactness };
    }
  }
  return wish;
}

/** Compares preferences, the weaker one first. */
function compare(a: Wish, b: Wish): number {
  return a.quality - b.quality || a.exactness - b.exactness;
}
