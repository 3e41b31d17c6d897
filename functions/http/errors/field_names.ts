/**
 * The field names: synonyms on other servers, and suggestions for unknown
 * names.
 *
 * @module
 */

import type * as v from "valibot";
import { suggestion } from "../../../lib/nearest_name.ts";

/** Maximum characters of a name that is compared with others. */
const MAX_COMPARED = 64;

/** Fields of this server by their names on other servers. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  size: ["ratio"],
  "aspect_ratio": ["ratio"],
  "num_images": ["n"],
  "num_outputs": ["n"],
  "number_of_images": ["n"],
  "batch_size": ["n"],
  count: ["n"],
  cfg: ["guidance_scale"],
  "cfg_scale": ["guidance_scale"],
  guidance: ["guidance_scale"],
  negative: ["negative_prompt"],
  "max_new_tokens": ["max_tokens"],
  "max_completion_tokens": ["max_tokens"],
  "max_output_tokens": ["max_tokens"],
  "image_url": ["image"],
  "image_urls": ["images"],
  input: ["prompt", "image", "text"],
  text: ["prompt", "question"],
  message: ["question", "prompt"],
  messages: ["question", "prompt"],
  prompt: ["question"],
  query: ["question"],
  answer: ["text"],
  caption: ["text"],
  codes: ["grid"],
  method: ["strategy"],
  lora: ["adapter"],
  "model_id": ["model"],
  "random_seed": ["seed"],
};

/**
 * Returns ": did you mean …?" for the unknown field that `keys` lead to, or an
 * empty text if none is similar.
 *
 * @param schema Schema of the whole body.
 */
export function fieldSuggestion(
  schema: v.GenericSchema,
  keys: readonly unknown[],
): string {
  const name = String(keys.at(-1));
  // Comparing takes time in proportion to the lengths of both names.
  if (name.length > MAX_COMPARED) return "";
  const known = namesAt(schema as SchemaParts, keys.slice(0, -1));
  const synonyms = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : undefined;
  const same = synonyms?.find((synonym) => known.includes(synonym));
  return same === undefined
    ? suggestion(name, known)
    : `: did you mean ${same}?`;
}

/** Parts of a schema, as Valibot's own schemas have them. */
interface SchemaParts {
  readonly entries?: Readonly<Record<string, SchemaParts>>;
  readonly wrapped?: SchemaParts;
  readonly item?: SchemaParts;
  readonly options?: readonly SchemaParts[];
}

/** Returns the field names of the object that `keys` lead to. */
function namesAt(schema: SchemaParts, keys: readonly unknown[]): string[] {
  if (schema.wrapped !== undefined) return namesAt(schema.wrapped, keys);
  // Options of a picklist are texts, and have no fields.
  const { options = [] } = schema;
  const ofOptions = options.flatMap((option) => namesAt(option, keys));
  if (ofOptions.length > 0) return [...new Set(ofOptions)];
  const [key, ...rest] = keys;
  if (key === undefined) return Object.keys(schema.entries ?? {});
  const next = typeof key === "number"
    ? schema.item
    : schema.entries?.[String(key)];
  return next === undefined ? [] : namesAt(next, rest);
}
