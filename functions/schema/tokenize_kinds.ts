/**
 * What a body of `tokenize` asks for, and which fields go with it.
 *
 * @module
 */

import { type FieldError, InvalidFieldsError } from "../http/errors/errors.ts";
import type { TokenizeRequest } from "./tokenize.ts";
import type { Upload } from "../http/upload.ts";

/** What is to become codes or tokens. */
export type TokenizeKind = "image" | "frames" | "text" | "prompt" | "question";

/** Fields that each kind takes, beside the one it is named after. */
const FIELDS: Readonly<
  Record<TokenizeKind, readonly (keyof TokenizeRequest)[]>
> = {
  image: ["resize", "decode", "pad", "model"],
  frames: ["resize", "decode", "pad", "model"],
  text: ["special", "model"],
  prompt: ["model"],
  question: [
    "image",
    "images",
    "grid",
    "grids",
    "template",
    "decode",
    "model",
  ],
};

/** In this order, since a question comes with a picture. */
const KINDS: readonly TokenizeKind[] = [
  "question",
  "text",
  "prompt",
  "frames",
  "image",
];

/**
 * The kind of a body.
 *
 * @throws {InvalidFieldsError} When it asks for nothing, or for two things, or
 * has a field that would do nothing.
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
    detail: `does not go with ${kind}`,
  })));
}
