/**
 * The loader of codecs: distinguishes failures to load from damaged pictures.
 *
 * Codecs receive all bytes in memory, so an error about a file or an
 * environment variable is about the codec itself.
 *
 * @module
 */

import { createRequire } from "node:module";
import { RuntimeError } from "../../errors.ts";

/**
 * Returns the codec that `load` resolves to.
 *
 * @param name Name of its package.
 * @throws {RuntimeError} If it cannot be loaded, for any reason.
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
 * Compiles the WebAssembly file of a package. It is read from disk, because the
 * packages would fetch it over the network.
 *
 * @param specifier Name of the file, such as
 * `@jsquash/webp/codec/dec/webp_dec.wasm`.
 */
export async function compileWasm(
  specifier: string,
): Promise<WebAssembly.Module> {
  const file = createRequire(import.meta.url).resolve(specifier);
  return await WebAssembly.compile(await Deno.readFile(file));
}

/**
 * Returns an error of a running codec as a failure to load a part of it, since
 * parts load on first use; undefined for any other error.
 */
export function loadFailure(error: unknown): RuntimeError | undefined {
  return isOfSystem(error) ? notLoaded("a part of one", error) : undefined;
}

/**
 * Codes of system errors, such as ENOENT; ERR_OUT_OF_RANGE is about a picture.
 */
const SYSTEM = /^(E[A-Z]+|(ERR_)?MODULE_NOT_FOUND|ERR_DLOPEN_FAILED)$/;

/**
 * Returns true for errors of the system, of permissions, or of the module
 * loader.
 */
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
