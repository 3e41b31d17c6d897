/**
 * The upload reader: bodies with pictures as JSON, a form, or bare bytes.
 * Fields may also be in the query, with any body: none is ignored.
 *
 * @module
 */

import { isBinaryType } from "./raw_codes.ts";
import type { Call } from "./call.ts";
import { decodeDataUrl } from "./data_url.ts";
import { turnFor } from "../metrics/event_loop.ts";
import { isJson, mediaType, parseFields, readBytes } from "./body.ts";
import { parseJson } from "./json.ts";
import { type FormPart, formParts } from "./multipart.ts";
import type { Tools } from "../models/ports.ts";
import {
  type FieldSchema,
  queryOf,
  textFields,
  withQuery,
} from "./query_fields.ts";
import { invalidField, MediaTypeError } from "./errors/errors.ts";
import { decodeUtf8 } from "./utf8.ts";

/** The content of a body. */
export interface Upload<T> {
  /** Fields from JSON, form or query. */
  readonly fields: T;
  /** Files by the name of their part; a bare picture or video is named `image`. */
  readonly files: ReadonlyMap<string, readonly Uint8Array<ArrayBuffer>[]>;
  /** Bare codes, not yet parsed. */
  readonly codes: Uint8Array<ArrayBuffer> | undefined;
}

/** The kinds of bodies that a route accepts. */
export interface UploadOptions {
  /** Maximum bytes of the body. */
  readonly maxBytes: number;
  /** Maximum number of files of each part of a form. */
  readonly files: Readonly<Record<string, number>>;
  /** True if bare codes are accepted. */
  readonly codes: boolean;
  /** True if a bare video is accepted; false by default. */
  readonly videos?: boolean;
}

/**
 * Reads the body of `request`.
 *
 * @throws {MediaTypeError} If its type is not accepted.
 * @throws {BodyTooComplexError} If it has more values or parts than are
 * accepted.
 * @throws {MalformedBodyError} If it does not match its media type.
 * @throws {InvalidFieldsError} If its fields do not match `schema`.
 */
export async function readUpload<T>(
  request: Request,
  schema: FieldSchema<T>,
  options: UploadOptions,
): Promise<Upload<T>> {
  const type = mediaType(request);
  const known = isJson(type) || type === "multipart/form-data" ||
    type.startsWith("image/") ||
    (options.videos === true && type.startsWith("video/")) ||
    (options.codes && isBinaryType(type));
  if (!known) {
    const more = [
      ...(options.videos === true ? [", video/mp4, video/webm"] : []),
      ...(options.codes
        ? [", application/octet-stream, application/x-npy"]
        : []),
    ].join("");
    throw new MediaTypeError(
      `its Content-Type is not supported; set it to application/json, multipart/form-data, image/png, image/jpeg, image/webp, image/gif${more}`,
    );
  }
  const bytes = await readBytes(request, options.maxBytes);
  const query = queryOf(request);
  if (isJson(type)) {
    const body = withQuery(await parseJson(bytes), textFields(query, schema));
    const fields = parseFields(schema, body);
    return { fields, files: new Map(), codes: undefined };
  }
  if (type === "multipart/form-data") {
    return await readForm(request, bytes, query, schema, options);
  }
  const fields = parseFields(schema, textFields(query, schema));
  return isBinaryType(type)
    ? { fields, files: new Map(), codes: bytes }
    : { fields, files: new Map([["image", [bytes]]]), codes: undefined };
}

/** The call that a picture is read for, and the resources it holds. */
export interface PictureUse {
  /** Call that the picture is read for. */
  readonly call: Pick<Call, "signal" | "caller" | "observer">;
  /** Resources of a fetched picture, released once it is decoded. */
  readonly held: DisposableStack;
}

/**
 * Reads the pictures of a list; throws as {@linkcode pictureBytes} does.
 *
 * @param pointer JSON pointer to the list.
 */
export async function listBytes(
  tools: Pick<Tools, "fetchPicture">,
  texts: readonly string[],
  pointer: string,
  use: PictureUse,
): Promise<Uint8Array<ArrayBuffer>[]> {
  return await Promise.all(
    texts.map((text, i) => pictureBytes(tools, text, `${pointer}/${i}`, use)),
  );
}

/**
 * Reads the picture that a field holds.
 *
 * @param pointer JSON pointer to the field.
 * @throws {InvalidFieldsError} If it is neither a data URL nor base64, nor a
 * URL that may be fetched.
 */
export async function pictureBytes(
  { fetchPicture }: Pick<Tools, "fetchPicture">,
  text: string,
  pointer: string,
  { call, held }: PictureUse,
): Promise<Uint8Array<ArrayBuffer>> {
  if (/^https?:/i.test(text)) {
    if (fetchPicture !== undefined) {
      // The answer of another server may take long.
      call.observer?.accepted?.();
      const fetched = await fetchPicture(text, pointer, call);
      if (!held.disposed) return held.use(fetched).bytes;
      // Another picture of the request has failed in the meantime.
      fetched[Symbol.dispose]();
      call.signal.throwIfAborted();
      return fetched.bytes;
    }
    throw invalidField(
      pointer,
      "image URLs are disabled (ALLOW_URL_INPUTS); send a data URL or base64",
    );
  }
  try {
    return await decodeDataUrl(text);
  } catch (cause) {
    const detail =
      "expected a data URL, such as data:image/png;base64,…, or base64";
    throw invalidField(pointer, detail, { cause });
  }
}

/**
 * Returns the parts of a form.
 *
 * @throws {MediaTypeError} If it is not a form.
 * @throws {BodyTooComplexError} If it has more parts than are accepted.
 * @throws {MalformedBodyError} If it does not match its media type.
 */
export async function readParts(
  request: Request,
  maxBytes: number,
): Promise<FormPart[]> {
  if (mediaType(request) !== "multipart/form-data") {
    throw new MediaTypeError(
      "its Content-Type is not supported; set it to multipart/form-data",
    );
  }
  return await partsOf(request, await readBytes(request, maxBytes));
}

async function readForm<T>(
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
  query: readonly [string, string][],
  schema: FieldSchema<T>,
  options: UploadOptions,
): Promise<Upload<T>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>[]>();
  const texts = [...query];
  for (const part of await partsOf(request, bytes)) {
    const { name, fileName, content } = part;
    await turnFor(content);
    if (fileName === undefined) {
      texts.push([name, await decodeUtf8(content, { fatal: false })]);
      continue;
    }
    const limit = Object.hasOwn(options.files, name)
      ? options.files[name]
      : undefined;
    const list = files.get(name) ?? [];
    if (limit === undefined || list.length >= limit) {
      const detail = limit === undefined
        ? `unknown file part; expected ${
          Object.keys(options.files).join(" or ")
        }`
        : `expected at most ${limit} files`;
      throw invalidField(`/${name.slice(0, 64)}`, detail);
    }
    // A copy, since its buffer may be transferred to a worker.
    list.push(content.slice());
    files.set(name, list);
  }
  const fields = parseFields(schema, textFields(texts, schema));
  return { fields, files, codes: undefined };
}

async function partsOf(
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<FormPart[]> {
  await turnFor(bytes);
  return await formParts(request.headers.get("content-type") ?? "", bytes);
}
