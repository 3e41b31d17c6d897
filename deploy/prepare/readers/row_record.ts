/**
 * The record of a row: named fields → picture and texts.
 *
 * A picture is a path, a data URL, bytes, or Hugging Face's struct of bytes and
 * path. A path is relative to the file that has it; the released script's are
 * relative to the folder that it is started in, so that counts second.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { readReason } from "../../../lib/loading/read_reason.ts";
import { asText } from "./as_text.ts";
import type { Columns } from "./columns.ts";
import { RecordError, type SourceRecord } from "./source.ts";

/** A row of named values. */
export type Row = Readonly<Record<string, unknown>>;

/** The circumstances of a row. */
export interface RowPlace {
  /** Place for messages. */
  readonly place: string;
  /** Folder that paths are relative to. */
  readonly folder: string;
  /** Name of the record if neither a column nor a path gives one. */
  readonly otherwise: string;
}

/**
 * Returns the record of `row`. Its faults are reported when the picture is
 * read.
 */
export function rowRecord(
  row: Row,
  columns: Columns,
  { place, folder, otherwise }: RowPlace,
): SourceRecord {
  const field = (name: string | undefined) =>
    name === undefined ? undefined : row[name];
  const image = field(columns.image);
  const name = asText(field(columns.name)) ?? pathOf(image);
  return {
    name: name || otherwise,
    place,
    text: asText(field(columns.text)),
    question: asText(field(columns.question)),
    answer: asText(field(columns.answer)),
    picture: async () => {
      const bytes = bytesOf(image);
      if (bytes !== undefined) return bytes;
      if (typeof image !== "string" || image === "") {
        throw new RecordError(`it has no "${columns.image}"`);
      }
      return await pictureAt(image, folder);
    },
  };
}

/** Returns the name in the path of a picture; undefined if it has none. */
function pathOf(image: unknown): string | undefined {
  const path = image instanceof Object && "path" in image ? image.path : image;
  if (typeof path !== "string" || path.startsWith("data:")) return undefined;
  return basename(path, extname(path));
}

/** Returns the bytes that a value holds itself. */
function bytesOf(image: unknown): Uint8Array<ArrayBuffer> | undefined {
  const value = image instanceof Object && "bytes" in image
    ? image.bytes
    : image;
  return value instanceof Uint8Array ? new Uint8Array(value) : undefined;
}

async function pictureAt(
  address: string,
  folder: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (/^data:/i.test(address)) return inDataUrl(address);
  if (/^https?:/i.test(address)) {
    throw new RecordError(
      "its picture is a URL, which is not fetched; download it first",
    );
  }
  return await readPicture(await placeOf(address, folder));
}

function inDataUrl(url: string): Uint8Array<ArrayBuffer> {
  const [, base64] = /^data:[^,]*;base64,([^]*)$/i.exec(url) ?? [];
  try {
    if (base64 !== undefined) return Uint8Array.fromBase64(base64);
  } catch {
    // The error's own message names only an offset.
  }
  throw new RecordError("its data URL is not base64");
}

async function placeOf(path: string, folder: string): Promise<string> {
  const beside = resolve(folder, path);
  return await stat(beside).then(() => beside, () => resolve(path));
}

/**
 * Returns the bytes of the picture at `path`.
 *
 * @throws {RecordError} If it cannot be read.
 */
export async function readPicture(
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : readReason(cause);
    throw new RecordError(`its picture ${path} cannot be read: ${reason}`, {
      cause,
    });
  }
}
