/**
 * Fields that come beside a body, or as parts of a form, from the schema of the
 * same fields in JSON.
 *
 * @module
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { Content, RouteDescription } from "./describe.ts";

type Parameters = NonNullable<RouteDescription["parameters"]>;
type BodySchema = Exclude<
  NonNullable<Content[string]["schema"]>,
  { readonly vendor: string }
>;
type ParameterSchema = NonNullable<
  Extract<Parameters[number], { readonly in: string }>["schema"]
>;

/** The fields `names` of a body, as query of a body of bare bytes. */
export function queryFields(
  entries: v.ObjectEntries,
  names: readonly string[],
): Parameters {
  return names.map((name) => ({
    in: "query",
    name,
    schema: field(entries, name),
  }));
}

/** Parts of a form that are files: of each how many, and whether it may lack. */
export interface FileParts {
  /** Parts of which a form has one kind. */
  readonly files: Readonly<Record<string, number>>;
  /** Parts that a form may have besides. */
  readonly optional?: Readonly<Record<string, number>>;
}

/**
 * A form.
 *
 * @param names Fields, as text.
 */
export function form(
  entries: v.ObjectEntries,
  names: readonly string[],
  { files, optional }: FileParts,
): Content {
  const all = Object.entries({ ...files, ...optional });
  const parts = all.map(([name, maxItems]) => [name, {
    // A part that is no file may hold a data URL or base64.
    type: ["array", "string"],
    items: { type: "string", format: "binary" },
    minItems: 1,
    maxItems,
  }]);
  const texts = names.map((name) => [name, field(entries, name)]);
  return {
    "multipart/form-data": {
      schema: {
        type: "object",
        properties: Object.fromEntries([...parts, ...texts]),
        oneOf: Object.keys(files).map((name) => ({ required: [name] })),
        additionalProperties: false,
      },
    },
  };
}

/** Sizes of bare codes without a header of their own. */
export const GRID_HEADERS: Parameters = [
  gridHeader("X-Grid-Height", "Rows of codes in application/octet-stream."),
  gridHeader("X-Grid-Width", "Codes a row in application/octet-stream."),
];

/** The same, of a clip. */
export const CLIP_HEADERS: Parameters = [
  gridHeader(
    "X-Grid-Frames",
    "Frames of codes in application/octet-stream. Makes them a clip.",
  ),
  ...GRID_HEADERS,
];

function gridHeader(name: string, description: string): Parameters[number] {
  return { in: "header", name, description, schema: { type: "string" } };
}

function field(
  entries: v.ObjectEntries,
  name: string,
): BodySchema & ParameterSchema {
  const { $schema: _, ...schema } = toJsonSchema(entries[name]!);
  // Draft 7 as it is written here is a part of what OpenAPI 3.1 takes.
  return schema as BodySchema & ParameterSchema;
}
