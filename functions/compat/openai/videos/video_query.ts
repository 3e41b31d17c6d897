/**
 * The queries of `GET /v1/videos` and of a video's content.
 *
 * @module
 */

import * as v from "valibot";
import { parseFields } from "../../../http/body.ts";
import {
  type FieldSchema,
  queryOf,
  textFields,
} from "../../../http/query_fields.ts";
import { VARIANTS } from "./video_content.ts";

/** The schema of the query of a page. */
export const ListQuery = v.object({
  after: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(256),
      v.description("Id of the last video of the previous page."),
    ),
  ),
  limit: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
    20,
  ),
  order: v.optional(v.picklist(["asc", "desc"]), "desc"),
});

/** The schema of the query of a content. */
export const ContentQuery = v.object({
  variant: v.optional(
    v.pipe(
      v.picklist(VARIANTS),
      v.description(
        "The file, the first frame, or all frames in rows; the last two as a PNG.",
      ),
    ),
    "video",
  ),
});

/**
 * Returns the fields of a request's query.
 *
 * @throws {InvalidFieldsError} If they do not match `schema`.
 */
export function fieldsOfQuery<T>(request: Request, schema: FieldSchema<T>): T {
  return parseFields(schema, textFields(queryOf(request), schema));
}
