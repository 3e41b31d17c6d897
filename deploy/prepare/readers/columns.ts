/**
 * The choice of columns: those that the user names, else the first one with a
 * usual name.
 *
 * @module
 */

import { PreparationError } from "../preparation_error.ts";
import type { ColumnNames } from "./source.ts";

/** A use of a column. */
export type ColumnUse = keyof ColumnNames;

/** Usual names of columns, the most common first. */
const USUAL: Readonly<Record<ColumnUse, readonly string[]>> = {
  image: [
    "image",
    "image_path",
    "file_name",
    "filename",
    "img",
    "path",
    "jpg",
    "png",
    "picture",
  ],
  text: [
    "text",
    "caption",
    "texts",
    "txt",
    "prompt",
    "captions",
    "description",
  ],
  name: ["name", "key", "id", "image_id"],
  question: ["question"],
  answer: ["answer"],
};

/** The columns of an input by their use. */
export type Columns = Readonly<Record<ColumnUse, string | undefined>>;

/**
 * Returns the columns among `there`.
 *
 * @param place Name of the input, for messages.
 * @throws {PreparationError} If a named column does not exist, or none holds
 * pictures; lists those that exist.
 */
export function chooseColumns(
  there: readonly string[],
  named: ColumnNames,
  place: string,
): Columns {
  const choose = (use: ColumnUse) => {
    const name = named[use];
    if (name === undefined) {
      return USUAL[use].find((usual) => there.includes(usual));
    }
    if (there.includes(name)) return name;
    throw new PreparationError(
      `${place} has no column "${name}" (--${use}-column), only ${
        listed(there)
      }`,
    );
  };
  const image = choose("image");
  if (image === undefined) {
    throw new PreparationError(
      `no column of ${place} looks like one of pictures; set --image-column: it has ${
        listed(there)
      }`,
    );
  }
  return {
    image,
    text: choose("text"),
    name: choose("name"),
    question: choose("question"),
    answer: choose("answer"),
  };
}

/** Limit of listed names. */
const MAX_LISTED = 20;

function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, MAX_LISTED).map((name) => `"${name}"`);
  return `${shown.join(", ")}${names.length > MAX_LISTED ? ", …" : ""}`;
}
