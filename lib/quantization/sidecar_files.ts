/**
 * The files beside the weights of a checkpoint: configuration, tokenizer, image
 * processor, license. A quantized checkpoint has copies of them.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { QuantizationError } from "../errors.ts";
import { refusePlaceholder } from "../loading/placeholder.ts";
import { refuseLinkOut, writePlainFile } from "../loading/plain_file.ts";
import { readReason } from "../loading/read_reason.ts";

/** A pattern of weights in any format, their index, and hidden files. */
const WEIGHTS = /\.(safetensors|bin|pt|pth|gguf|onnx)$|\.index\.json$|^\./;

/** The configuration, which is not copied but rewritten. */
const CONFIG_FILE = "config.json";

/** A pattern of files that opening a model reads. */
const OPENED = /\.(json|jinja|tiktoken|txt|model)$/i;

/**
 * Copies the files beside the weights, with folders, except `config.json`.
 *
 * @param to Folder of the copies, which exists; it may lie in `from`, and is not
 * copied itself.
 */
export async function copySidecarFiles(
  from: string,
  to: string,
): Promise<void> {
  await copyFiles(from, to, await Deno.realPath(to));
}

/** @param root Real path of the folder of all copies. */
async function copyFiles(
  from: string,
  to: string,
  root: string,
): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (WEIGHTS.test(name) || name === CONFIG_FILE) continue;
    const source = join(from, name);
    const target = join(to, name);
    if (!isDirectory) {
      await writePlainFile(target, await readFile(source));
    } else if (await Deno.realPath(source) !== root) {
      await refuseLinkOut(to, target);
      await Deno.mkdir(target, { recursive: true });
      await copyFiles(source, target, root);
    }
  }
}

/**
 * Returns a fingerprint of the contents of all files that opening a model
 * reads, by which outdated copies are detected.
 *
 * @throws {CheckpointError} If a file is a placeholder.
 * @throws {QuantizationError} If one cannot be read.
 */
export async function sidecarFingerprint(folder: string): Promise<string> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const names = entries.map(({ name }) => name)
    .filter((name) => !WEIGHTS.test(name) && OPENED.test(name)).sort();
  const hash = createHash("sha256");
  for (const name of names) {
    const path = join(folder, name);
    // A link may lead to a file, and reading a pipe would block.
    const found = await Deno.stat(path).catch(() => undefined);
    if (found !== undefined && !found.isFile) continue;
    const bytes = await readFile(path);
    refusePlaceholder(path, bytes);
    hash.update(`${JSON.stringify(name)} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    const reason = `it cannot be read: ${readReason(cause)}`;
    throw new QuantizationError(path, reason, { cause });
  }
}
