/**
 * The choice of an adapter: by a request's field, or by its model's name.
 *
 * @module
 */

import { invalidField, UnknownAdapterError } from "../http/errors/errors.ts";
import { withAdapter } from "../models/model_aliases.ts";
import type { ModelPair } from "../models/ports.ts";

/**
 * Returns the adapter that a request chooses; undefined for the model alone.
 *
 * @param models Models of the request, with the adapter in their name.
 * @param adapter Value of the field.
 * @throws {UnknownAdapterError} If the model has no such adapter.
 * @throws {InvalidFieldsError} If the field contradicts the model's name.
 */
export function chosenAdapter(
  models: Pick<ModelPair, "adapter" | "adapters">,
  adapter: string | undefined,
): string | undefined {
  const { adapter: named, adapters = [] } = models;
  const chosen = adapter ?? named;
  if (chosen !== undefined && !adapters.includes(chosen)) {
    throw new UnknownAdapterError(chosen, adapters);
  }
  if (named !== undefined && chosen !== named) {
    throw invalidField(
      "/adapter",
      `it contradicts the adapter "${named}" in model; omit one of them`,
    );
  }
  return chosen;
}

/** Returns the name of a language model as answers state it. */
export function answeredName(
  { language }: { readonly language: { readonly name: string } },
  adapter: string | undefined,
): string {
  return withAdapter(language.name, adapter);
}
