/**
 * `models verify`: files are hashed again and compared with what they must be,
 * and everything that they ask for must be there.
 *
 * @module
 */

import { join } from "node:path";
import { hashFiles, type HashOptions } from "../cache/hashing/hash_files.ts";
import { ManifestError } from "../cache/manifest/manifest_fields.ts";
import { type ExpectedFile, expectedFiles, faultOf } from "./expected_files.ts";
import type { Report } from "./report.ts";
import { structureFaults } from "./structure.ts";

/** A model that is looked at. */
export interface Suspect {
  /** As it was asked for. */
  readonly name: string;
  /** Where it is. */
  readonly folder: string;
}

/** How to verify. */
export interface VerifyOptions extends Omit<HashOptions, "onBytes"> {
  /** Whether a model passes of which nothing is known. */
  readonly unknownPasses: boolean;
}

/** Whether every file of `suspects` is what it must be. */
export async function verify(
  suspects: readonly Suspect[],
  report: Report,
  options: VerifyOptions,
): Promise<boolean> {
  if (suspects.length === 0) {
    report.tell({ event: "nothing" }, "There is no model to verify");
  }
  let good = true;
  for (const suspect of suspects) {
    if (!await verifyOne(suspect, report, options)) good = false;
  }
  return good;
}

async function verifyOne(
  suspect: Suspect,
  report: Report,
  options: VerifyOptions,
): Promise<boolean> {
  const { name, folder } = suspect;
  const files = await expectedFiles(folder).catch((error) => {
    if (!(error instanceof ManifestError)) throw error;
    return error.message;
  });
  if (typeof files === "string") {
    const remedy = `remove ${folder} and pull or copy the model again`;
    report.tell(
      { event: "bad", name, path: "manifest.json", reason: files, remedy },
      `${name}: ${files}; ${remedy}`,
    );
    return false;
  }
  const faults = await contentFaults(name, files, report, options);
  const trusted = files.filter(({ hash }) => hash !== undefined);
  const structure = await structureFaults(
    folder,
    await presentPaths(files),
    new Set([...trusted.map(({ path }) => path), ...faults.keys()]),
  );
  // The thing that stands for a file says more than that its hash is another one.
  for (const { path, reason } of structure) faults.set(path, reason);
  for (const [path, reason] of faults) {
    // The link of a snapshot would lead to the same content again.
    const file = join(folder, path);
    const real = await Deno.realPath(file).catch(() => undefined);
    const remedy = `${
      real === undefined ? "" : `remove ${real} and `
    }pull or copy the model again`;
    report.tell(
      { event: "bad", name, path, file: real ?? file, reason, remedy },
      `${name}: ${path} is bad: ${reason}; ${remedy}`,
    );
  }
  return told(suspect, files, faults, report, options);
}

/** The reason why a file's content is not what it must be, by its path. */
async function contentFaults(
  name: string,
  files: readonly ExpectedFile[],
  report: Report,
  options: VerifyOptions,
): Promise<Map<string, string>> {
  const known = files.flatMap(({ hash, ...file }) =>
    hash === undefined ? [] : [{ ...file, hash }]
  );
  const totalBytes = (await Promise.all(known.map(({ from }) => sizeOf(from))))
    .reduce((sum, size) => sum + size, 0);
  let bytes = 0;
  const jobs = known.map(({ from, hash }) => ({
    path: from,
    kind: hash.kind,
  }));
  const outcomes = await hashFiles(jobs, {
    ...options,
    onBytes: (more) => {
      bytes += more;
      report.progress({ what: `verifying ${name}`, bytes, totalBytes });
    },
  });
  const faults = new Map<string, string>();
  for (const [index, file] of known.entries()) {
    const outcome = outcomes[index]!;
    const reason = outcome.type === "failure"
      ? `it cannot be read: ${outcome.reason}`
      : faultOf(file, outcome.hashes);
    if (reason !== undefined) faults.set(file.path, reason);
  }
  for (const { path, from, size, hash } of files) {
    if (hash !== undefined || size === undefined) continue;
    const there = await sizeOf(from);
    if (there !== size) {
      faults.set(path, `it has ${there} bytes instead of ${size}`);
    }
  }
  return faults;
}

/** Tells what was found of a model, and returns whether it is good. */
function told(
  { name, folder }: Suspect,
  files: readonly ExpectedFile[],
  faults: ReadonlyMap<string, string>,
  report: Report,
  { unknownPasses }: VerifyOptions,
): boolean {
  const known = files.filter(({ hash }) => hash !== undefined);
  const sound = files.filter(({ path }) => !faults.has(path));
  const good = sound.filter(({ hash }) => hash !== undefined).length;
  const unchecked = sound.length - good;
  const bad = faults.size;
  const event = { event: "verified", name, folder, good, bad, unchecked };
  const others = unchecked === 0
    ? ""
    : `, ${unchecked} that nothing says a hash of${
      good + bad === 0 ? ": only their structure was checked" : ""
    }`;
  report.tell(event, `${name}: ${good} files good, ${bad} bad${others}`);
  return bad === 0 && (known.length > 0 || unknownPasses);
}

/** Paths of the files that are there. */
async function presentPaths(
  files: readonly ExpectedFile[],
): Promise<string[]> {
  const paths: string[] = [];
  for (const { path, from } of files) {
    const found = await Deno.stat(from).catch(() => undefined);
    if (found?.isFile) paths.push(path);
  }
  return paths;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
