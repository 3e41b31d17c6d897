/**
 * The body readers: bytes within a limit, JSON, and fields validated by a
 * schema.
 *
 * Errors name a JSON pointer (RFC 6901) and the expected value, never the value
 * that was sent.
 *
 * @module
 */

import * as v from "valibot";
import { keptBody, PACE, readWhole } from "./connection/request_body.ts";
import { fieldErrors } from "./errors/field_errors.ts";
import { parseJson } from "./json.ts";
import {
  BodyTooLargeError,
  InvalidFieldsError,
  MalformedBodyError,
  MediaTypeError,
} from "./errors/errors.ts";

/**
 * Returns the body of `request`: as `readBodies` has read it, else read here.
 *
 * Replaces Hono's `bodyLimit`, which accepts a body of stated length unread and
 * replaces a `Request` of unstated length.
 *
 * @param options `empty`: true to allow no body; `encoded`: true to allow a
 * compressed one, which is returned as it is; `pace`: the minimum pace.
 * @throws {BodyTooLargeError} If it exceeds the limit; thrown as soon as that
 * is known.
 * @throws {BodyTooSlowError} If it arrives below the minimum pace.
 * @throws {MalformedBodyError} If there is none, or it is truncated.
 */
export async function readBytes(
  request: Request,
  maxBytes: number,
  { empty = false, encoded = false, pace = PACE } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (!encoded && encoding.toLowerCase() !== "identity") {
    throw new MediaTypeError("Content-Encoding is not supported; omit it");
  }
  const bytes = keptBody(request) ?? await readWhole(request, maxBytes, pace);
  if (bytes.length > maxBytes) throw new BodyTooLargeError(maxBytes);
  if (bytes.length === 0 && !empty) throw new MalformedBodyError("it is empty");
  return bytes;
}

/**
 * Returns the JSON body of `request`, validated by `schema`.
 *
 * @throws {MediaTypeError} If its Content-Type is another.
 * @throws {MalformedBodyError} If it is not JSON.
 * @throws {InvalidFieldsError} If it does not match the schema.
 */
export async function readJson<T>(
  request: Request,
  schema: v.GenericSchema<unknown, T>,
  maxBytes: number,
): Promise<T> {
  const type = mediaType(request);
  if (type !== "" && !isJson(type)) {
    throw new MediaTypeError(
      "its Content-Type is not supported; set it to application/json",
    );
  }
  const value = await parseJson(await readBytes(request, maxBytes));
  return parseFields(schema, value);
}

/**
 * Returns the body's media type in lower case, without parameters; empty if
 * unstated.
 */
export function mediaType(request: Request): string {
  const header = request.headers.get("content-type") ?? "";
  return header.split(";")[0]!.trim().toLowerCase();
}

/** Returns true if the media type `type` is JSON. */
export function isJson(type: string): boolean {
  return type === "application/json" || type.endsWith("+json");
}

/**
 * Parses the fields of a body.
 *
 * The issues that Valibot collects are bounded by the schema: its lists are
 * `boundedList`s, which check their length first and stop at
 * `MAX_FIELD_ERRORS`.
 *
 * @param options `abortEarly`: true to stop at the first fault, for a schema
 * whose lists are not bounded.
 * @throws {InvalidFieldsError} If fields are invalid; names them.
 */
export function parseFields<T>(
  schema: v.GenericSchema<unknown, T>,
  value: unknown,
  { abortEarly = false } = {},
): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidFieldsError([{
      pointer: "",
      detail: "expected an object",
    }]);
  }
  const result = v.safeParse(schema, value, {
    abortEarly,
    abortPipeEarly: true,
  });
  if (result.success) return result.output;
  throw new InvalidFieldsError(fieldErrors(result.issues, schema));
}
