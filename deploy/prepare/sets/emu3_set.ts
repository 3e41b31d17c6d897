/**
 * The released form of a prepared set: a list and a `.pth` file a picture.
 *
 * ```text
 * list/train.json      {"prefix": "…/feature", "path_list": ["a.pth", …]}
 * feature/a.pth        {"name", "images", "texts"}
 * ```
 *
 * The prefix of a set that was moved is that of another machine: the folder
 * `feature` beside the list counts first.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type {
  PreparedRecord,
  PreparedSet,
} from "../../../lib/tuning/records.ts";
import { readReason } from "../../../lib/loading/read_reason.ts";
import { MISSING_PART, PreparedSetError } from "../preparation_error.ts";
import { readPth } from "../torch/read_pth.ts";
import { checkedRecord } from "./checked_record.ts";
import { readJsonFile } from "./set_manifest.ts";

/** Path of the list in the folder of a set. */
export const LIST_FILE = "list/train.json";

/** Name of the folder of `.pth` files. */
export const FEATURE_FOLDER = "feature";

const EXTENSION = ".pth";

/**
 * Opens the set in `folder`; undefined if it has no list.
 *
 * @throws {PreparedSetError} If the list is damaged.
 */
export async function openEmu3Set(
  folder: string,
): Promise<PreparedSet | undefined> {
  const path = join(folder, LIST_FILE);
  const list = await readJsonFile(path);
  if (list === undefined) return undefined;
  const { prefix, path_list: names } = list;
  if (
    typeof prefix !== "string" || !Array.isArray(names) ||
    !names.every((name) => typeof name === "string")
  ) {
    throw new PreparedSetError(path, "it has no prefix or no path_list");
  }
  const beside = join(folder, FEATURE_FOLDER);
  const features = await stat(beside).then(() => beside, () =>
    // A relative prefix is of the folder that the script ran in.
    resolve(dirname(dirname(path)), prefix));
  return {
    length: names.length,
    read: (index) => readFeature(join(features, names[index]!), names[index]!),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function readFeature(
  path: string,
  file: string,
): Promise<PreparedRecord> {
  try {
    const { images, ...content } = readPth(await Deno.readFile(path));
    const { height, width, values } = images;
    return checkedRecord({
      ...content,
      key: file.endsWith(EXTENSION) ? file.slice(0, -EXTENSION.length) : file,
      ...{ height, width, codes: values },
    });
  } catch (cause) {
    const reason = readReason(cause, MISSING_PART);
    throw new PreparedSetError(path, reason, { cause });
  }
}
