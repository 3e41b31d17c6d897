/**
 * The parsers of environment variables, with their descriptions for `--help`.
 *
 * A parser throws a `SyntaxError` with the expected form.
 *
 * @module
 */

import type { LogFormat } from "../middleware/log_sink.ts";
import {
  STRATEGY_NAMES,
  type StrategyName,
} from "../../lib/drawing/strategy.ts";
import type { CacheDtype } from "../../lib/runtime/provider.ts";
import { FUNCTION_NAMES, type FunctionName } from "../schema/common.ts";
import { type Precision, PRECISIONS } from "../models/precision.ts";

/** An environment variable. */
export interface Variable<T> {
  /** Description of its meaning, for display. */
  readonly meaning: string;
  /** Description of its default, for display. */
  readonly fallback: string;
  /** Parses its text; `undefined` for an unset variable. */
  readonly parse: (text: string | undefined) => T;
}

/** URL schemes of model sources. */
const SCHEMES = /^(?:hf|s3|gs|https|file)$/i;

/** Numeric formats of keys and values, by their usual names. */
export const CACHE_DTYPES: ReadonlyMap<string, CacheDtype> = new Map([
  ["fp32", "float32"],
  ["fp16", "float16"],
  ["bf16", "bfloat16"],
  ["int8", "int8"],
]);

/**
 * Returns a variable with the source of a model; the loader checks it in
 * detail.
 */
export function source(
  model: string,
  fallback = "the embedded emu3-mini",
): Variable<string | undefined> {
  return {
    meaning: `${model}: folder, org/name[@revision] or URL (https, s3, gs)`,
    fallback,
    parse: (text) => {
      const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text ?? "")?.[1];
      if (scheme === undefined || SCHEMES.test(scheme)) return text;
      throw new SyntaxError(
        `expected a folder, org/name or a URL with hf, s3, gs, https or file, not ${scheme}://`,
      );
    },
  };
}

/** Returns a variable with one of `values`. */
export function choice<const T extends string>(
  meaning: string,
  fallback: T,
  values: readonly T[],
): Variable<T> {
  return {
    meaning: `${meaning}: ${values.join(", ")}`,
    fallback,
    parse: (text) => {
      if (text === undefined) return fallback;
      const value = values.find((value) => value === text);
      if (value !== undefined) return value;
      throw new SyntaxError(`expected ${values.join(" or ")}`);
    },
  };
}

/** Parses the format of log lines. */
export function logFormat(text: string | undefined): LogFormat | undefined {
  if (text === undefined || text === "json" || text === "pretty") return text;
  throw new SyntaxError("expected json or pretty");
}

/** Parses a precision. */
export function precision(text: string | undefined): Precision | undefined {
  if (text === undefined) return undefined;
  const expected = `expected ${PRECISIONS.join(", ")}`;
  const known = PRECISIONS.find((known) => known === text);
  if (known !== undefined) return known;
  throw new SyntaxError(expected);
}

/** Returns a variable with a whole number of at least `least`. */
export function count(
  meaning: string,
  fallback: string,
  least: number,
): Variable<number | undefined> {
  return { meaning, fallback, parse: (text) => whole(text, least) };
}

/** Returns a variable with a port. */
export function port(
  meaning: string,
  fallback: string,
): Variable<number | undefined> {
  return {
    meaning,
    fallback,
    parse: (text) => {
      const value = whole(text, 0);
      if (value === undefined || value <= 65_535) return value;
      throw new SyntaxError("expected a port from 0 to 65535");
    },
  };
}

/** Parses a whole number of at least `least`. */
export function whole(
  text: string | undefined,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER
    ? `${least} or more`
    : `${least} to ${most}`;
  throw new SyntaxError(`expected a whole number, ${range}`);
}

/** Parses a number of seconds, up to a day. */
export function seconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value <= 86_400) return value;
  throw new SyntaxError("expected seconds from 0 to 86400");
}

/** Parses names of functions. */
export function functions(text: string | undefined): ReadonlySet<FunctionName> {
  if (text === undefined) return new Set(FUNCTION_NAMES);
  const names = text.split(",").map((name) => {
    const known = FUNCTION_NAMES.find((known) => known === name.trim());
    if (known !== undefined) return known;
    throw new SyntaxError(
      `expected functions separated by commas, out of ${
        FUNCTION_NAMES.join(", ")
      }`,
    );
  });
  return new Set(names);
}

/** Parses a strategy. */
export function strategy(text: string | undefined): StrategyName | undefined {
  const name = STRATEGY_NAMES.find((name) => name === text);
  if (text === undefined || name !== undefined) return name;
  throw new SyntaxError(`expected ${STRATEGY_NAMES.join(" or ")}`);
}

/** Parses the numeric format of keys and values. */
export function cacheDtype(text: string | undefined): CacheDtype | undefined {
  if (text === undefined) return undefined;
  const dtype = CACHE_DTYPES.get(text);
  if (dtype !== undefined) return dtype;
  throw new SyntaxError(`expected ${[...CACHE_DTYPES.keys()].join(" or ")}`);
}

/** Parses a secret in the format of Standard Webhooks. */
export function webhookSecret(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  // Standard Webhooks requires 24 to 64 bytes.
  if (/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/.test(text)) return text;
  throw new SyntaxError("expected whsec_ followed by 24 to 64 bytes in base64");
}

/** Parses the method by which downloads are verified. */
export function verification(text: string | undefined): "full" | undefined {
  if (text === undefined || text === "full") return text;
  throw new SyntaxError("expected full, or leave it unset");
}

/**
 * Parses the URL of a server, without the slash at its end.
 *
 * @throws {SyntaxError} If the text has another form.
 */
export function publicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (
    url !== null && /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.search + url.hash === ""
  ) return url.href.replace(/\/+$/, "");
  throw new SyntaxError(
    'expected a URL such as "https://example.org/emu3", without credentials or a query',
  );
}

/** Parses 0 or 1. */
export function flag(text: string | undefined): boolean {
  if (text === undefined || text === "0") return false;
  if (text === "1") return true;
  throw new SyntaxError("expected 0 or 1");
}
