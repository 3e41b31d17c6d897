/**
 * The worker that builds the encoder and encodes.
 *
 * ```text
 * open ─▶ opened      build ─▶ built      encode ─▶ encoded      any ─▶ failed
 * ```
 *
 * An entry point: `encoder.ts` starts it and imports its types only. Every
 * message is answered by one, in the same order.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import type { SpecialTokens } from "../special_tokens.ts";
import { buildEncoder } from "./bpe.ts";
import type { EncodePlain, EncoderDefinition } from "./bpe.ts";
import { readTextModel } from "./text_source.ts";
import type { TextSource } from "./text_source.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** A message to the worker. */
export type WorkerRequest =
  | {
    readonly kind: "open";
    readonly format: TextSource["kind"];
    readonly bytes: Uint8Array;
  }
  | { readonly kind: "build" }
  | { readonly kind: "encode"; readonly texts: readonly string[] };

/** The worker's answer. */
export type WorkerReply =
  | {
    readonly kind: "opened";
    readonly table: TokenBytes;
    readonly specials: SpecialTokens;
  }
  | { readonly kind: "built" }
  | { readonly kind: "encoded"; readonly tokens: Int32Array<ArrayBuffer>[] }
  | { readonly kind: "failed"; readonly error: unknown };

const unopened = (): EncoderDefinition => {
  throw new Error("Cannot build encoder: nothing is opened");
};

const unbuilt: EncodePlain = () => {
  throw new Error("Cannot encode text: the encoder is not built");
};

let definition = unopened;
let encode = unbuilt;

self.addEventListener("message", (event: MessageEvent<WorkerRequest>) => {
  try {
    self.postMessage(answer(event.data));
  } catch (error) {
    self.postMessage({ kind: "failed", error } satisfies WorkerReply);
  }
});

function answer(request: WorkerRequest): WorkerReply {
  switch (request.kind) {
    case "open": {
      const model = readTextModel(request.format, request.bytes);
      definition = model.definition;
      return { kind: "opened", table: model.table, specials: model.specials };
    }
    case "build":
      encode = buildEncoder(definition());
      // Releases the files, which are no longer needed.
      definition = unopened;
      return { kind: "built" };
    case "encode":
      return { kind: "encoded", tokens: request.texts.map(encode) };
    default:
      throw request satisfies never;
  }
}
