/**
 * The registration of a provider in a session's options.
 *
 * Boundary file: passes arrays of C strings to ONNX Runtime.
 *
 * @module
 */

import { cString, type OrtApi, type Pointer } from "./api.ts";
import type { Provider, Registration } from "./provider.ts";

/**
 * Makes sessions of `options` run on `provider`, and operators without a kernel
 * on the CPU.
 *
 * @throws {RuntimeError} If the provider's libraries or its device are missing.
 */
export function registerProvider(
  api: OrtApi,
  options: Pointer,
  { registration }: Pick<Provider, "registration">,
): void {
  switch (registration?.entry) {
    case undefined:
      return;
    case "cuda":
      return registerCuda(api, options, registration);
    case "generic": {
      const { keys, values, count } = cStrings(registration.options);
      return api.call(
        "SessionOptionsAppendExecutionProvider",
        options,
        cString(registration.name),
        keys.pointers,
        values.pointers,
        count,
      );
    }
  }
}

function registerCuda(
  api: OrtApi,
  options: Pointer,
  registration: Registration,
): void {
  const cuda = api.create("CreateCUDAProviderOptions");
  try {
    const { keys, values, count } = cStrings(registration.options);
    api.call(
      "UpdateCUDAProviderOptions",
      cuda,
      keys.pointers,
      values.pointers,
      count,
    );
    api.call("SessionOptionsAppendExecutionProvider_CUDA_V2", options, cuda);
  } finally {
    api.release("ReleaseCUDAProviderOptions", cuda);
  }
}

/** An array of C strings; `texts` must outlive the call that reads it. */
interface CStrings {
  readonly texts: readonly Uint8Array<ArrayBuffer>[];
  readonly pointers: BigUint64Array<ArrayBuffer>;
}

function cStrings(
  options: Registration["options"],
): { keys: CStrings; values: CStrings; count: bigint } {
  const entries = Object.entries(options);
  const array = (texts: readonly Uint8Array<ArrayBuffer>[]): CStrings => ({
    texts,
    pointers: BigUint64Array.from(
      texts,
      (text) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(text)),
    ),
  });
  return {
    keys: array(entries.map(([key]) => cString(key))),
    values: array(entries.map(([, value]) => cString(value))),
    count: BigInt(entries.length),
  };
}
