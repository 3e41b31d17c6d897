/**
 * The checkpoints of any shape, for tests of publishing.
 *
 * @module
 */

import fc from "fast-check";
import { makeManifest } from "../../deploy/publish/make_manifest.ts";
import { publishedFiles } from "../../deploy/publish/published_files.ts";
import type { Publication } from "../../deploy/publish/publish_options.ts";
import type { Remote } from "../../deploy/cache/net/remote.ts";
import type { RetryPolicy } from "../../deploy/cache/retry_policy.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";

/** Bytes of a part, so that small files have several. */
export const PART_BYTES = 100;

/** Retry policy of many attempts without delays. */
export const FAST_RETRIES: RetryPolicy = {
  attempts: 4,
  baseMs: 1,
  maxMs: 8,
  stallMs: 5000,
  random: () => 1,
};

/** Signal that never aborts. */
export const NEVER: AbortSignal = new AbortController().signal;

/** The files by path; one is the configuration. */
export type Tree = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** Minimal configuration. */
export const CONFIG: Uint8Array<ArrayBuffer> = new TextEncoder().encode(
  '{"torch_dtype": "bfloat16"}',
);

const name = fc.string({
  unit: fc.constantFrom(..."ab0-_+ ~é漢&='()!"),
  minLength: 1,
  maxLength: 8,
}).filter((name) => !name.endsWith(" "));

/** Checkpoints with odd names, empty files and files of whole parts. */
export const anyTree: fc.Arbitrary<Tree> = fc.array(
  fc.record({
    folder: fc.constantFrom("", "", "deep/", "deep/er & er/"),
    name,
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 350 }),
      fc.constantFrom(0, 99, 100, 101, 300).map((size) =>
        new Uint8Array(size).fill(7)
      ),
    ),
  }),
  { maxLength: 5 },
).map((files) =>
  Object.fromEntries([
    // The prefixes keep file names different from folder names.
    ...files.map(({ folder, name, bytes }, i) => [
      `${folder}f${i}${name}`,
      new Uint8Array(bytes),
    ]),
    ["config.json", CONFIG],
  ])
);

/** Writes `tree` into `folder` and returns its publication. */
export async function publicationOf(
  folder: TemporaryFolder,
  tree: Tree,
  partBytes = PART_BYTES,
): Promise<Publication> {
  for (const [path, bytes] of Object.entries(tree)) folder.write(path, bytes);
  const files = await publishedFiles(folder.path);
  const manifest = await makeManifest(folder.path, files, {
    createdBy: "a test",
    partBytes,
    threads: 1,
    onBytes: () => {},
    signal: NEVER,
  });
  return { manifest, files };
}

/** Reads all files of a remote, in ranges of `size` bytes. */
export async function readAll(remote: Remote, size: number): Promise<Tree> {
  const { files } = await remote.list(NEVER);
  const tree: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const file of files) {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let start = 0; start < file.size; start += size) {
      const range = { start, end: Math.min(start + size, file.size) };
      const stream = await remote.read(file, range, NEVER);
      for await (const part of stream) parts.push(part);
    }
    tree[file.path] = new Uint8Array(await new Blob(parts).arrayBuffer());
  }
  return tree;
}
