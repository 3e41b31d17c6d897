/**
 * The adapters: small weights on top of a model. None can be loaded, so every
 * name is unknown.
 *
 * @module
 */

import { UnknownAdapterError } from "../http/errors/errors.ts";

/** The names of loaded adapters, as models list them. */
export const ADAPTERS: readonly string[] = [];

/**
 * Refuses every adapter.
 *
 * @throws {UnknownAdapterError} If a body names one.
 */
export function checkAdapter(adapter: string | undefined): void {
  if (adapter !== undefined) throw new UnknownAdapterError(adapter, ADAPTERS);
}
