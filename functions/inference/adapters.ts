/**
 * Adapters: small weights that would go on top of a model. None can be loaded,
 * so every name is unknown.
 *
 * @module
 */

import { UnknownAdapterError } from "../http/errors/errors.ts";

/** Names of those that are loaded, as models list them. */
export const ADAPTERS: readonly string[] = [];

/** @throws {UnknownAdapterError} When a body names one. */
export function checkAdapter(adapter: string | undefined): void {
  if (adapter !== undefined) throw new UnknownAdapterError(adapter, ADAPTERS);
}
