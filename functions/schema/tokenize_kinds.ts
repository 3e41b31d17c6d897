/**
 * The kinds of `tokenize` bodies, and the fields of each.
 *
 * @module
 */

import { type FieldError, InvalidFieldsError } from "../http/errors/errors.ts";
import type { TokenizeRequest } from "./tokenize.ts";
import type { Upload } from "../http/upload.ts";

/** A kind of input to encode. */
export type TokenizeKind = "image" | "frames" | "text" | "prompt" | "question";

/** The fields of each kind beside the one that it is named after. */
const FIELDS: Readonly<
  Record<TokenizeKind, readonly (keyof TokenizeRequest)[]>
> = {
  image: [
    "resize",
    "decode",
    "pad",
    "frames_per_code",
    "fps",
    "start",
    "end",
    "model",
  ],
  frames: ["resize", "decode", "pad", "frames_per_code", "model"],
  text: ["special", "model"],
  prompt: ["model"],
  question: [
    "image",
    "images",
    "grid",
    "grids",
    "template",
    "video_frames",
    "start",
    "end",
    "decode",
    "model",
  ],
};

/** The kinds in order of precedence, since a question comes with a picture. */
const KINDS: readonly TokenizeKind[] = [
  "question",
  "text",
  "prompt",
  "frames",
  "image",
];

/**
 * Returns the kind of a body.
 *
 * @throws {InvalidFieldsError} If it has no input, or two, or a field that would
 * have no effect.
 */
export function tokenizeKind(
  { fields, files }: Upload<TokenizeRequest>,
): TokenizeKind {
  const kind = KINDS.find((kind) =>
    fields[kind] !== undefined || files.has(kind)
  );
  if (kind === undefined) {
    throw new InvalidFieldsError([{
      pointer: "",
      detail: "expected image, frames, text, prompt or question",
    }]);
  }
  const given = new Set([
    ...Object.entries(fields)
      .filter(([, value]) => value !== undefined).map(([name]) => name),
    ...files.keys(),
  ]);
  const allowed = new Set<string>([kind, ...FIELDS[kind]]);
  const strays = [...given].filter((name) => !allowed.has(name));
  if (strays.length === 0) return kind;
  throw new InvalidFieldsError(strays.map((name): FieldError => ({
    pointer: `/${name}`,
    detail: `cannot be combined with ${kind}`,
  })));
}
