/**
 * The writer of `.pth` files: a picture's codes as the released dataset reads
 * them.
 *
 * ```text
 * archive/data.pkl    {"name": str, "images": LongTensor [h, w], "texts": str}
 * archive/data/0      the tensor's values, int64 little-endian
 * archive/byteorder   archive/version
 * ```
 *
 * `torch.load` opens it with and without `weights_only` and with `mmap`. The
 * released script stores a NumPy array, which `weights_only` refuses, so a
 * tensor is written. A record with a question has `question` and `answer` too.
 *
 * @module
 */

import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import { PickleWriter } from "./pickle_writer.ts";
import { writeStoredZip } from "./stored_zip.ts";

/** Returns the `.pth` of a record; equal records give equal bytes. */
export function writePth(
  record: PreparedRecord,
  name: string,
): Uint8Array<ArrayBuffer> {
  const ascii = (text: string) => new TextEncoder().encode(text);
  return writeStoredZip([
    { name: "archive/data.pkl", data: pickle(record, name) },
    { name: "archive/byteorder", data: ascii("little") },
    { name: "archive/data/0", data: int64(record.codes) },
    { name: "archive/version", data: ascii("3\n") },
  ]);
}

function pickle(
  record: PreparedRecord,
  name: string,
): Uint8Array<ArrayBuffer> {
  const { text, question, answer } = record;
  const writer = new PickleWriter().code("}").code("(");
  writer.text("name").text(name).text("images");
  writeTensor(writer, record);
  writer.text("texts").text(text);
  if (question !== undefined) writer.text("question").text(question);
  if (answer !== undefined) writer.text("answer").text(answer);
  return writer.code("u").finish();
}

/** Writes `_rebuild_tensor_v2(storage, 0, (h, w), (w, 1), False, {})`. */
function writeTensor(
  writer: PickleWriter,
  { height, width, codes }: PreparedRecord,
): void {
  writer.global("torch._utils", "_rebuild_tensor_v2").code("(");
  writer.code("(").text("storage").global("torch", "LongStorage")
    .text("0").text("cpu").integer(codes.length).code("t").code("Q");
  writer.integer(0);
  writer.code("(").integer(height).integer(width).code("t");
  writer.code("(").integer(width).integer(1).code("t");
  writer.code("\x89");
  writer.global("collections", "OrderedDict").code(")").code("R");
  writer.code("t").code("R");
}

function int64(codes: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(8 * codes.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < codes.length; i++) view.setInt32(8 * i, codes[i]!, true);
  return bytes;
}
