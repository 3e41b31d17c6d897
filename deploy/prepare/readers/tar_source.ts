/**
 * The reader of WebDataset archives: files of one record share a name up to the
 * first dot.
 *
 * ```text
 * 000000031.jpg   000000031.txt   000000031.json
 * ```
 *
 * The text is that of `.txt`, or the caption in `.json`, which may also have a
 * question and its answer. Archives may be compressed by gzip.
 *
 * @module
 */

import { createTarDecoder } from "modern-tar";
import { basename, dirname, join } from "node:path";
import { readReason } from "../../../lib/loading/read_reason.ts";
import { PreparationError } from "../preparation_error.ts";
import { asFields, asText } from "./as_text.ts";
import { chooseColumns } from "./columns.ts";
import { InputStream } from "./input_file.ts";
import { faulty } from "./json_source.ts";
import type { ColumnNames, RecordSource, SourceRecord } from "./source.ts";
import { PICTURE_EXTENSIONS } from "../../../lib/image/image.ts";

/** The files of one record, by extension without the dot. */
interface Sample {
  readonly key: string;
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
}

/** The most bytes of a file within an archive. */
const MAX_FILE_BYTES = 2 ** 30;

/** Opens the archives at `paths`, one after the other. */
export function tarSource(
  paths: readonly string[],
  named: ColumnNames,
): RecordSource {
  let done = 0;
  let stream: InputStream | undefined;
  return {
    format: "webdataset",
    share: () => (done + (stream?.share ?? 0)) / paths.length,
    async *records() {
      done = 0;
      for (const path of paths) {
        using opened = await InputStream.open(path);
        stream = opened;
        for await (const sample of samples(path, opened)) {
          yield recordOf(sample, named, `${basename(path)}, ${sample.key}`);
        }
        stream = undefined;
        done++;
      }
    },
  };
}

async function* samples(
  path: string,
  stream: InputStream,
): AsyncGenerator<Sample> {
  let sample: Sample | undefined;
  try {
    for await (const { header, body } of entries(path, stream)) {
      const name = basename(header.name);
      const dot = name.indexOf(".", 1);
      if (header.type !== "file" || dot < 0 || name.startsWith(".")) {
        await body.cancel();
        continue;
      }
      if (header.size > MAX_FILE_BYTES) {
        throw new PreparationError(
          `${path}: its file ${header.name} has ${header.size} bytes, over ${MAX_FILE_BYTES}`,
        );
      }
      const key = join(dirname(header.name), name.slice(0, dot));
      if (sample?.key !== key) {
        if (sample !== undefined) yield sample;
        sample = { key, files: new Map() };
      }
      const extension = name.slice(dot + 1).toLowerCase();
      sample.files.set(extension, await new Response(body).bytes());
    }
  } catch (cause) {
    if (cause instanceof PreparationError) throw cause;
    const reason = readReason(cause);
    throw new PreparationError(
      `${path} is not a complete tar archive: ${reason}`,
      {
        cause,
      },
    );
  }
  if (sample !== undefined) yield sample;
}

function entries(path: string, stream: InputStream) {
  const bytes = ReadableStream.from(stream.chunks());
  const tar = /\.t?gz$/i.test(path)
    ? bytes.pipeThrough(new DecompressionStream("gzip"))
    : bytes;
  return tar.pipeThrough(createTarDecoder({ strict: true }));
}

function recordOf(
  { key, files }: Sample,
  named: ColumnNames,
  place: string,
): SourceRecord {
  const file = (name: string | undefined) =>
    name === undefined ? undefined : files.get(name);
  const extension = named.image ??
    PICTURE_EXTENSIONS.map((dotted) => dotted.slice(1))
      .find((extension) => files.has(extension));
  const picture = file(extension);
  if (picture === undefined) {
    return faulty(
      key,
      place,
      `it has no picture, only ${[...files.keys()].join(", ")}`,
    );
  }
  let fields: Readonly<Record<string, unknown>> = {};
  try {
    fields = asFields(JSON.parse(asText(files.get("json")) ?? "{}")) ?? {};
  } catch {
    return faulty(key, place, "its .json is damaged");
  }
  // The picture is a file, so its column may have any name.
  const columns = chooseColumns(["image", ...Object.keys(fields)], {}, place);
  const field = (name: string | undefined) =>
    name === undefined ? undefined : asText(file(name) ?? fields[name]);
  const text = named.text === undefined
    ? asText(files.get("txt")) ?? field(columns.text)
    : field(named.text);
  return {
    name: named.name === undefined ? key : field(named.name) ?? key,
    place,
    text: text?.trim(),
    question: field(named.question ?? columns.question),
    answer: field(named.answer ?? columns.answer),
    picture: () => Promise.resolve(picture),
  };
}
