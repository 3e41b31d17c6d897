/**
 * The aliases of models, for clients with fixed model names.
 *
 * @module
 */

import type { ModelListing } from "./ports.ts";

/** Names of models by their aliases. */
export type ModelAliases = ReadonlyMap<string, string>;

/** Longest model name that requests may have, in characters. */
const MAX_NAME = 256;

/** The words of error messages about pairs. */
export interface PairWords {
  /** Kind of the names, such as "alias". */
  readonly name: string;
  /** Kind of both, in the plural, such as "aliases and names". */
  readonly both: string;
  /** Example of a list. */
  readonly example: string;
}

/**
 * Parses pairs separated by commas.
 *
 * @throws {SyntaxError} If the text has another form, or a name twice.
 */
export function namePairs(
  text: string | undefined,
  { name: kind, both, example }: PairWords,
): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const entry of (text ?? "").split(",")) {
    if (entry.trim() === "") continue;
    const [name = "", value = "", ...rest] = entry.split("=")
      .map((part) => part.trim());
    if (name === "" || value === "" || rest.length > 0) {
      throw new SyntaxError(
        `expected ${both} such as "${example}", with commas`,
      );
    }
    if (name.length > MAX_NAME) {
      throw new SyntaxError(
        `expected ${both} with names of at most ${MAX_NAME} characters`,
      );
    }
    if (pairs.has(name)) {
      throw new SyntaxError(`the ${kind} "${name}" is given twice`);
    }
    pairs.set(name, value);
  }
  return pairs;
}

/**
 * Parses `gpt-image-1=emu3-mini,dall-e-3=emu3-mini`.
 *
 * @throws {SyntaxError} If the text has another form.
 */
export function modelAliases(text: string | undefined): ModelAliases {
  return namePairs(text, {
    name: "alias",
    both: "aliases and names",
    example: "gpt-image-1=emu3-mini",
  });
}

/**
 * Checks that aliases lead to listed models, and hide none.
 *
 * @param names Names of all models.
 * @throws {RangeError} Naming an alias without a target, or one that is a
 * model's name.
 */
export function checkAliases(
  aliases: ModelAliases | undefined,
  names: readonly string[],
): void {
  for (const [alias, name] of aliases ?? []) {
    if (names.includes(alias)) {
      throw new RangeError(
        `Cannot use MODEL_ALIASES: "${alias}" is also the name of a model; use another alias`,
      );
    }
    if (names.includes(name)) continue;
    const there = names.map((name) => `"${name}"`).join(", ");
    throw new RangeError(
      `Cannot use MODEL_ALIASES: "${alias}" refers to "${name}", but models are ${there}`,
    );
  }
}

/** Returns the name of a model with an adapter, such as `emu3-mini:mine`. */
export function withAdapter(name: string, adapter: string | undefined): string {
  return adapter === undefined ? name : `${name}:${adapter}`;
}

/** Returns the model's name for an alias, else `model` itself. */
export function resolveAlias<T extends string | undefined>(
  model: T,
  aliases: ModelAliases | undefined,
): T | string {
  return model === undefined ? model : aliases?.get(model) ?? model;
}

/** Returns the aliases of a model. */
export function aliasesOf(
  name: string,
  aliases: ModelAliases | undefined,
): string[] {
  return [...aliases ?? []].filter(([, model]) => model === name)
    .map(([alias]) => alias);
}

/** Returns listings with the aliases of their models. */
export function withAliases(
  listings: readonly ModelListing[],
  aliases: ModelAliases | undefined,
): readonly ModelListing[] {
  return listings.map((listing) => ({
    ...listing,
    aliases: aliasesOf(listing.name, aliases),
  }));
}

/** Returns true if `model` is one of a listed model's {@linkcode allNames}. */
export function isNamed(listing: ModelListing, model: string): boolean {
  return allNames(listing).includes(model);
}

/** Returns the names of a listed model: its own, aliases, and with adapters. */
export function allNames(
  { name, aliases = [], adapters = [] }: ModelListing,
): readonly string[] {
  const adapted = adapters.map((adapter) => withAdapter(name, adapter));
  return [name, ...aliases, ...adapted];
}
