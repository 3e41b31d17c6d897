/**
 * The parts of a message: text and pictures, as several libraries write them.
 *
 * ```text
 * text, input_text     text                                  OpenAI
 * image_url            image_url: {url} or a string          OpenAI, LangChain
 * input_image          image_url: a string                   OpenAI's responses
 * image                image, data, base64, url or source    AI SDK, Anthropic, LangChain
 * file                 data, url or file.file_data, of one   AI SDK, OpenAI
 * ```
 *
 * @module
 */

import * as v from "valibot";
import { invalidField } from "../../http/errors/errors.ts";
import { Picture, Text } from "../../schema/common.ts";
import { open } from "./schema.ts";

const Label = v.pipe(v.string(), v.maxLength(64));

/** The schema of a picture, or an object that holds it. */
const PictureUrl = v.union([Picture, v.object({ url: Picture })]);

/**
 * The schema of a part of a message; the role decides which parts are accepted.
 */
export const Part = v.object({
  type: Label,
  text: open(Text),
  "image_url": open(PictureUrl),
  image: open(PictureUrl),
  url: open(Picture),
  data: open(Picture),
  base64: open(Picture),
  file: open(v.object({ "file_data": open(Picture) })),
  source: open(
    v.object({ type: open(Label), url: open(Picture), data: open(Picture) }),
  ),
});
/** A part of a message. */
export type Part = v.InferOutput<typeof Part>;

/** A picture of a question. */
export interface QuestionPicture {
  /** Data URL, base64 or, where those are fetched, URL. */
  readonly text: string;
  /** JSON pointer to the picture. */
  readonly pointer: string;
}

const TEXTS: ReadonlySet<string> = new Set(["text", "input_text"]);

/** The fields of each kind of picture; the first one that is present counts. */
const PICTURES: Readonly<Record<string, readonly PictureField[]>> = {
  "image_url": ["image_url"],
  "input_image": ["image_url"],
  image: ["image", "source", "data", "base64", "url", "image_url"],
  file: ["file", "data", "url"],
};

/** The fields that hold the picture inside one of those. */
const INNER: ReadonlySet<string> = new Set(["url", "data", "file_data"]);

type PictureField =
  | "image"
  | "source"
  | "data"
  | "base64"
  | "file"
  | "url"
  | "image_url";

/** Returns the text that a part is; undefined for a part of another kind. */
export function textIn({ type, text }: Part): string | undefined {
  return TEXTS.has(type) ? text : undefined;
}

/**
 * Returns the picture that a part is; undefined for a part of another kind, or
 * without any.
 *
 * @param pointer JSON pointer to the part.
 */
export function pictureIn(
  part: Part,
  pointer: string,
): QuestionPicture | undefined {
  for (const field of fieldsOf(part.type)) {
    const value = part[field];
    if (typeof value === "string") {
      return { text: value, pointer: `${pointer}/${field}` };
    }
    for (const [inner, text] of Object.entries(value ?? {})) {
      if (INNER.has(inner) && text !== undefined) {
        return { text, pointer: `${pointer}/${field}/${inner}` };
      }
    }
  }
}

/**
 * Refuses a part that would otherwise be ignored.
 *
 * @param pointer JSON pointer to the part.
 * @throws {InvalidFieldsError} If its kind is not supported, or it is empty.
 */
export function checkPart(part: Part, pointer: string): void {
  const fields = fieldsOf(part.type);
  const [field] = fields;
  if (TEXTS.has(part.type)) {
    if (part.text === undefined) {
      throw invalidField(`${pointer}/text`, "is required");
    }
  } else if (field === undefined) {
    throw invalidField(
      `${pointer}/type`,
      "expected text or image_url: the model supports only text and images",
    );
  } else if (pictureIn(part, pointer) === undefined) {
    const given = fields.find((field) => part[field] !== undefined);
    throw given === undefined
      ? invalidField(`${pointer}/${field}`, "is required")
      : invalidField(`${pointer}/${given}`, "expected a member url or data");
  }
}

function fieldsOf(type: string): readonly PictureField[] {
  return Object.hasOwn(PICTURES, type) ? PICTURES[type]! : [];
}
