/**
 * The `tokenize` model: picture → codes, text → tokens.
 *
 * @module
 */

import { preparePicture } from "../../inference/encode_image.ts";
import type { Tokenizers } from "../../models/ports.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { TokenizeRequest } from "../../schema/tokenize.ts";
import { codesTensor } from "./code_tensors.ts";
import {
  type Inference,
  type Inferred,
  MODEL_VERSION,
  nativeFields,
  pictureInput,
  type ServedModel,
  textInput,
} from "./served_model.ts";

const PICTURE_OPTIONS = ["resize", "decode", "model"];
const TEXT_OPTIONS = ["special", "model"];

/** Returns the model that encodes pictures to codes and text to tokens. */
export function tokenizeModel(tokenizers: Tokenizers): ServedModel {
  return {
    name: "tokenize",
    version: MODEL_VERSION,
    inputs: [
      { name: "image", datatype: "BYTES", shape: [1], optional: true },
      { name: "text", datatype: "BYTES", shape: [1], optional: true },
    ],
    outputs: [
      { name: "codes", datatype: "UINT16", shape: [-1, -1] },
      { name: "tokens", datatype: "INT32", shape: [-1] },
    ],
    checkReady: () => void tokenizers.vision(undefined),
    infer: async (inference) => {
      const { inputs } = inference;
      if (inputs.has("image") === inputs.has("text")) {
        throw invalidField("/inputs", "expected either image or text");
      }
      return inputs.has("image")
        ? await pictureCodes(tokenizers, inference)
        : await textTokens(tokenizers, inference);
    },
  };
}

async function pictureCodes(
  tokenizers: Tokenizers,
  inference: Inference,
): Promise<Inferred> {
  const fields = nativeFields(TokenizeRequest, PICTURE_OPTIONS, inference, {});
  const { decode = "display", resize = "smart" } = fields;
  const vision = tokenizers.vision(fields.model);
  const { call } = inference;
  using held = new DisposableStack();
  const bytes = await pictureInput(inference, tokenizers, held);
  using prepared = await preparePicture(tokenizers, bytes!, vision, {
    options: { decode, resize },
    call,
  });
  const grid = await vision.encode(prepared.image, call.signal, call.caller);
  call.observer?.finished?.({ tokens: grid.codes.length });
  return {
    outputs: [["codes", codesTensor(grid)]],
    parameters: { model: vision.checkpoint.name },
  };
}

async function textTokens(
  tokenizers: Tokenizers,
  inference: Inference,
): Promise<Inferred> {
  const fields = nativeFields(TokenizeRequest, TEXT_OPTIONS, inference, {
    text: textInput(inference, "text"),
  });
  const { name, text } = await tokenizers.text(fields.model);
  const { special = false } = fields;
  const { signal, caller, observer } = inference.call;
  const options = { special, signal, caller };
  const values = Int32Array.from(await text.encode(fields.text!, options));
  observer?.finished?.({ tokens: values.length });
  return {
    outputs: [
      ["tokens", { datatype: "INT32", shape: [values.length], values }],
    ],
    parameters: { model: name },
  };
}
