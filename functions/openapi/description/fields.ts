/**
 * The description of fields in a query or a form, from the schema of the same
 * fields in JSON.
 *
 * @module
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { Content, RouteDescription } from "./describe.ts";

/** The example picture: a PNG of 32 × 32 pixels, a red dot on yellow. */
export const PICTURE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAUElEQVR42mP49aGCpohh1IJRC+hjwR0NDVyIChbgMZ0YOxgoMZoYawbOApJMx2MHA7VMx2XHqAWjFoxaMGA5eVgUdvSoD+hUo422KkYtIIQAvSgXIyZcYAUAAAAASUVORK5CYII=";

/** The example grid: codes that any codebook has. */
export const GRID = { height: 2, width: 3, codes: [[1, 2, 3], [4, 5, 6]] };

type Parameters = NonNullable<RouteDescription["parameters"]>;
type BodySchema = Exclude<
  NonNullable<Content[string]["schema"]>,
  { readonly vendor: string }
>;
type ParameterSchema = NonNullable<
  Extract<Parameters[number], { readonly in: string }>["schema"]
>;

/** Returns the fields `names` as the query of a body of bare bytes. */
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

/** The file parts of a form: the maximum of each, and if it is optional. */
export interface FileParts {
  /** Parts of which a form has exactly one kind. */
  readonly files: Readonly<Record<string, number>>;
  /** Optional parts. */
  readonly optional?: Readonly<Record<string, number>>;
}

/**
 * Returns the content of a form.
 *
 * @param names Names of text fields.
 */
export function form(
  entries: v.ObjectEntries,
  names: readonly string[],
  { files, optional }: FileParts,
): Content {
  const all = Object.entries({ ...files, ...optional });
  const parts = all.map(([name, maxItems]) => [name, {
    // A text part may hold a data URL or base64.
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
        ...(Object.keys(files).length > 0 && {
          oneOf: Object.keys(files).map((name) => ({ required: [name] })),
        }),
        additionalProperties: false,
      },
    },
  };
}

/** The size headers of bare codes. */
export const GRID_HEADERS: Parameters = [
  gridHeader(
    "X-Grid-Height",
    "Number of rows of codes in application/octet-stream.",
  ),
  gridHeader(
    "X-Grid-Width",
    "Number of codes per row in application/octet-stream.",
  ),
];

/** The size headers of a clip's bare codes. */
export const CLIP_HEADERS: Parameters = [
  gridHeader(
    "X-Grid-Frames",
    "Number of frames of codes in application/octet-stream, which makes them a clip.",
  ),
  gridHeader(
    "X-Grid-Frames-Per-Code",
    "1 if each frame of codes of a clip is a still; the query frames_per_code replaces it.",
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
  // The draft 7 schemas made here are a subset of OpenAPI 3.1.
  return schema as BodySchema & ParameterSchema;
}
