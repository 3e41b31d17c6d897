/**
 * The entity tags: a tag identifies an answer that the same request gets again.
 *
 * Answers to POST are not stored, so a tag is made from the inputs of an answer:
 * the request with its defaults filled in, the media type, the files of the
 * models, precision, device and version. It is known before anything runs:
 *
 * ```text
 * If-None-Match names it      412: you have it, nothing ran   (RFC 9110, 13.1.2:
 * If-Match does not name it   412: it would be another one     304 is for GET)
 * ```
 *
 * A tag is weak where the body holds an id or timings beside the answer. Answers
 * from a random seed have none, nor have those that depend on a fetched URL.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Context } from "hono";
import type { AppEnv } from "./context.ts";
import type { Tools } from "../models/ports.ts";
import { PreconditionFailedError } from "./errors/errors.ts";
import type { Upload } from "./upload.ts";

/** The inputs that decide an answer. */
export interface Decisive {
  /** Its media type. */
  readonly type: string;
  /** Names of the models that take part. */
  readonly models: readonly string[];
  /** The whole request; undefined if the same one may be answered differently. */
  readonly asked: unknown;
  /** True if the body holds more than the answer, such as an id. */
  readonly weak: boolean;
}

/** Headers that hold the size of bare codes. */
const SIZE_HEADERS = ["x-grid-frames", "x-grid-height", "x-grid-width"];

/** Bytes of a hash that a tag keeps. */
const TAG_BYTES = 16;

/**
 * Returns the `ETag` header of an answer that the same request gets again.
 *
 * @param decisive Inputs of the answer; undefined if it is random.
 * @throws {PreconditionFailedError} If the client's condition fails.
 */
export function tagHeaders(
  c: Context<AppEnv>,
  { identify }: Pick<Tools, "identify">,
  decisive: Decisive | undefined,
): Record<string, string> {
  const tag = decisive?.asked === undefined || identify === undefined
    ? undefined
    : entityTag(c.req.path, decisive, decisive.models.map(identify));
  const wanted = c.req.header("if-match");
  // Strong comparison: a weak tag matches none.
  if (wanted !== undefined && (!tag || !tagsIn(wanted).includes(tag))) {
    throw new PreconditionFailedError(
      "the ETag of the response is not in If-Match",
    );
  }
  const known = c.req.header("if-none-match");
  if (known !== undefined && tag && tagsIn(known).some(sameAs(tag))) {
    throw new PreconditionFailedError(
      "the ETag of the response is in If-None-Match",
    );
  }
  return tag === undefined ? {} : { etag: tag };
}

/**
 * Returns the fields of a body that decide its answer; undefined if it refers
 * to a URL, whose content may change. Pictures are hashed on another thread,
 * since hashing one keeps this one busy.
 */
export async function askedIn<T extends object>(
  request: Request,
  { fields, files, codes }: Upload<T>,
): Promise<unknown> {
  const texts = Object.values(fields).flat();
  if (texts.some((text) => typeof text === "string" && isUrl(text))) {
    // A prompt that starts like a URL has no tag either, which does no harm.
    return undefined;
  }
  const sizes = codes && SIZE_HEADERS.map((name) => request.headers.get(name));
  const asked = { fields, files: [...files], codes, sizes };
  return isLarge(asked) ? await withHashes(asked) : asked;
}

/** Returns whether `value` holds bytes or a long text. */
function isLarge(value: unknown): boolean {
  if (typeof value === "string") return value.length > LONG_TEXT;
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Uint8Array) return true;
  return !isRow(value) && Object.values(value).some(isLarge);
}

/** Returns whether `value` is a row of codes. */
function isRow(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === "number";
}

/** Minimum characters of a text that is hashed. */
const LONG_TEXT = 4096;

/** Returns `value` with hashes in place of its bytes and long texts. */
async function withHashes(value: unknown): Promise<unknown> {
  if (typeof value === "string" && value.length > LONG_TEXT) {
    return { sha256: await hashOf(new TextEncoder().encode(value)) };
  }
  if (value instanceof Uint8Array) {
    return { sha256: await hashOf(new Uint8Array(value)) };
  }
  if (typeof value !== "object" || value === null) return value;
  if (isRow(value)) return value;
  if (Array.isArray(value)) return await Promise.all(value.map(withHashes));
  const entries = Object.entries(value).map(async ([key, one]) => [
    key,
    await withHashes(one),
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

async function hashOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash).toHex();
}

function entityTag(
  path: string,
  { type, asked, weak }: Decisive,
  models: readonly string[],
): string {
  const text = JSON.stringify([path, type, models, asked], plain);
  const hash = createHash("sha256").update(text).digest();
  const name = hash.subarray(0, TAG_BYTES).toString("base64url");
  return `${weak ? "W/" : ""}"${name}"`;
}

/** Replaces bytes by their hash, codes by their text, maps by their entries. */
function plain(key: string, value: unknown): unknown {
  if (value instanceof Map) return [...value];
  // As one text: a replacer is called for every code otherwise.
  if (key === "codes" && Array.isArray(value)) return JSON.stringify(value);
  if (!ArrayBuffer.isView(value)) return value;
  const { buffer, byteOffset, byteLength } = value;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return createHash("sha256").update(bytes).digest("hex");
}

function isUrl(text: string): boolean {
  return /^https?:/i.test(text);
}

/** Returns the tags of a list. `*` matches none: no answer is stored. */
function tagsIn(list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

/** Returns a weak comparison with `tag`. */
function sameAs(tag: string): (other: string) => boolean {
  const opaque = (one: string) => one.replace(/^W\//, "");
  return (other) => opaque(other) === opaque(tag);
}
