/**
 * What keeps a codec from being loaded, told from what is wrong with a picture.
 *
 * Codecs get all bytes in memory, so a file that cannot be opened, or a
 * variable that may not be read, is one of their own.
 *
 * @module
 */

import { createRequire } from "node:module";
import { RuntimeError } from "../../errors.ts";

/**
 * The codec that `load` brings.
 *
 * @param name Of its package.
 * @throws {RuntimeError} When it cannot be loaded, whatever the reason.
 */
export async function loadCodec<T>(
  name: string,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw notLoaded(name, cause);
  }
}

/**
 * Compiles the WebAssembly file of a package. It is read from disk: the packages
 * themselves would fetch it, which servers may not.
 *
 * @param specifier Its name, such as `@jsquash/webp/codec/dec/webp_dec.wasm`.
 */
export async function compileWasm(
  specifier: string,
): Promise<WebAssembly.Module> {
  const file = createRequire(import.meta.url).resolve(specifier);
  return await WebAssembly.compile(await Deno.readFile(file));
}

/**
 * `error`, thrown by a codec at work, as a failure to load some of itself:
 * parts come when a picture first needs them. Undefined for any other.
 */
export function loadFailure(error: unknown): RuntimeError | undefined {
  return isOfSystem(error) ? notLoaded("a part of one", error) : undefined;
}

/** Such as ENOENT; ERR_OUT_OF_RANGE is of a picture. */
const SYSTEM = /^(E[A-Z]+|(ERR_)?MODULE_NOT_FOUND|ERR_DLOPEN_FAILED)$/;

/** Of the system, of permissions, or of the loader of modules. */
function isOfSystem(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && SYSTEM.test(String(error.code))) return true;
  return error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotFound;
}

function notLoaded(name: string, cause: unknown): RuntimeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RuntimeError(
    `Cannot load picture codec (${name}): ${reason}`,
    { cause },
  );
}
