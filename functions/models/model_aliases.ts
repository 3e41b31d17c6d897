/**
 * The aliases of models, for clients that only know the names of other models.
 *
 * @module
 */

import type { ModelListing } from "./ports.ts";

/** Names of models by their aliases. */
export type ModelAliases = ReadonlyMap<string, string>;

/** Longest model name that requests may have, in characters. */
const MAX_NAME = 256;

/**
 * Parses `gpt-image-1=emu3-mini,dall-e-3=emu3-mini`.
 *
 * @throws {SyntaxError} If the text has another form.
 */
export function modelAliases(text: string | undefined): ModelAliases {
  const aliases = new Map<string, string>();
  for (const entry of (text ?? "").split(",")) {
    if (entry.trim() === "") continue;
    const [alias = "", name = "", ...rest] = entry.split("=")
      .map((part) => part.trim());
    if (alias === "" || name === "" || rest.length > 0) {
      throw new SyntaxError(
        'expected aliases and names such as "gpt-image-1=emu3-mini", with commas',
      );
    }
    if (alias.length > MAX_NAME) {
      throw new SyntaxError(
        `expected aliases of at most ${MAX_NAME} characters`,
      );
    }
    if (aliases.has(alias)) {
      throw new SyntaxError(`the alias "${alias}" is given twice`);
    }
    aliases.set(alias, name);
  }
  return aliases;
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

/** Returns the name that `model` stands for: itself, unless it is an alias. */
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

/** Returns true if `model` is the name or an alias of a listed model. */
export function isNamed(
  { name, aliases = [] }: ModelListing,
  model: string,
): boolean {
  return name === model || aliases.includes(model);
}
