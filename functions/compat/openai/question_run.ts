/**
 * The start of an answer to a conversation: pictures become codes, and a model
 * that needs a picture refuses text alone.
 *
 * @module
 */

import {
  type CaptioningRun,
  type QuestionFields,
  startCaptioning,
} from "../../inference/captioning.ts";
import type { Call } from "../../http/call.ts";
import type { Captioners } from "../../models/ports.ts";
import { encodePictures } from "../../inference/encode_image.ts";
import { PictureRequiredError } from "../../http/errors/errors.ts";
import { timedGrids } from "../../inference/image_inputs.ts";
import { pictureBytes } from "../../http/upload.ts";
import type { QuestionPicture } from "./chat_parts.ts";

/** A question with its pictures. */
export interface ParsedQuestion {
  /** Fields in the form of `caption`. */
  readonly fields: QuestionFields;
  /** Pictures; empty for a question of text alone. */
  readonly pictures: readonly QuestionPicture[];
}

/**
 * Encodes the pictures and starts to answer.
 *
 * @param pointer JSON pointer to the conversation.
 * @throws {PictureRequiredError} If there is no picture, and the model was
 * trained on questions about pictures alone.
 * @throws {InvalidFieldsError} If a picture is not an image.
 */
export async function startQuestion(
  captioners: Captioners,
  { fields, pictures }: ParsedQuestion,
  pointer: string,
  call: Call,
): Promise<CaptioningRun> {
  const { language, vision } = captioners.captioner(fields.model);
  if (pictures.length === 0 && !language.generation.textOnly) {
    throw new PictureRequiredError(language.name, pointer);
  }
  const encoded = await timedGrids(async () => {
    using held = new DisposableStack();
    const files: Uint8Array[] = [];
    for (const { text, pointer } of pictures) {
      files.push(await pictureBytes(captioners, text, pointer, { call, held }));
    }
    const options = { decode: "display", call } as const;
    return await encodePictures(captioners, files, vision, options);
  });
  return startCaptioning(captioners, fields, encoded, call);
}
