/**
 * The adapter of mozjpeg's decoder: JPEG of one or three components,
 * bit-identical to libjpeg-turbo and Pillow.
 *
 * It is loaded on first use. Every decode runs in its own WebAssembly instance:
 * a file that crashes it leaves no state, and its memory is freed.
 *
 * @module
 */

import { ImageError } from "../../errors.ts";
import type { RgbaImage } from "../rgba.ts";
import { compileWasm, loadCodec } from "./load.ts";

/** Options of {@linkcode decodeJpeg}. */
export interface JpegOptions {
  /**
   * True if data that ends early may be a damaged interval between restarts.
   */
  readonly restarts: boolean;
}

/**
 * Decodes a JPEG, as it is stored.
 *
 * @throws {ImageError} If its kind is not supported, it is damaged, or a scan
 * is truncated.
 */
export async function decodeJpeg(
  bytes: Uint8Array,
  { restarts }: JpegOptions,
): Promise<RgbaImage> {
  const { default: decode, init } = await loadCodec(
    "@jsquash/jpeg",
    () => import("@jsquash/jpeg/decode.js"),
  );
  compiled ??= loadCodec(
    "@jsquash/jpeg",
    () => compileWasm("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"),
  );
  // The messages of libjpeg: the first warning, and the error that ended it.
  const messages: string[] = [];
  const printErr = (line: string) => void messages.push(line);
  const module = await compiled;
  await init({
    printErr,
    instantiateWasm: (
      imports: WebAssembly.Imports,
      callback: (instance: WebAssembly.Instance) => void,
    ) => {
      const instance = new WebAssembly.Instance(module, imports);
      callback(instance);
      return instance.exports;
    },
  });
  try {
    const { height, width, data } = await decode(bytes.slice().buffer);
    const [warning = ""] = messages;
    if (isCutShort(warning, restarts)) {
      throw new ImageError("the JPEG is truncated");
    }
    return { height, width, pixels: new Uint8ClampedArray(data) };
  } catch (cause) {
    const reason = messages.at(-1);
    if (cause instanceof ImageError || reason === undefined) throw cause;
    throw new ImageError(reasonFor(reason), { cause });
  }
}

/**
 * Returns true if libjpeg filled in missing data of a truncated file. With
 * restart markers the same warning may be about a damaged interval.
 */
function isCutShort(warning: string, restarts: boolean): boolean {
  return warning === "Premature end of JPEG file" ||
    warning.endsWith("premature end of data segment") && !restarts;
}

/** Returns the message of this library for one of libjpeg. */
function reasonFor(reason: string): string {
  if (/arithmetic/.test(reason)) {
    return "the JPEG uses arithmetic coding, which is not supported; save it as baseline or progressive";
  }
  const [, process] = /SOF type (0x\w+)/.exec(reason) ?? [];
  if (process !== undefined) {
    const kind = LOSSLESS.has(process) ? "lossless" : "hierarchical";
    return `the JPEG is ${kind} (SOF ${process}), which is not supported; save it as baseline or progressive`;
  }
  const [, bits] = /data precision (\d+)/.exec(reason) ?? [];
  if (bits !== undefined) {
    return `the JPEG has ${bits} bits per sample; save it with 8`;
  }
  return `the JPEG is damaged: ${reason}`;
}

/**
 * Frame headers of lossless processes: Huffman and arithmetic, differential.
 */
const LOSSLESS: ReadonlySet<string> = new Set(["0xc3", "0xc7", "0xcb", "0xcf"]);

let compiled: Promise<WebAssembly.Module> | undefined;
