/**
 * The command `models verify`: compares files with their hashes, and checks
 * that all files that they refer to are there.
 *
 * @module
 */

import { join } from "node:path";
import { hashFiles, type HashOptions } from "../cache/hashing/hash_files.ts";
import { ManifestError } from "../cache/manifest/manifest_fields.ts";
import { type ExpectedFile, expectedFiles, faultOf } from "./expected_files.ts";
import type { Report } from "./report.ts";
import { structureFaults } from "./structure.ts";

/** A model to verify. */
export interface Suspect {
  /** Name as given on the command line. */
  readonly name: string;
  /** Path of the model. */
  readonly folder: string;
}

/** Options of the verification. */
export interface VerifyCommandOptions extends Omit<HashOptions, "onBytes"> {
  /** True if models without any known hash pass. */
  readonly unknownPasses: boolean;
}

/** Returns true if every file of `suspects` is intact. */
export async function verify(
  suspects: readonly Suspect[],
  report: Report,
  options: VerifyCommandOptions,
): Promise<boolean> {
  if (suspects.length === 0) {
    report.event({ event: "nothing" }, "There are no models to verify");
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
  options: VerifyCommandOptions,
): Promise<boolean> {
  const { name, folder } = suspect;
  const files = await expectedFiles(folder).catch((error) => {
    if (!(error instanceof ManifestError)) throw error;
    return error.message;
  });
  if (typeof files === "string") {
    const remedy = `remove ${folder} and pull or copy the model again`;
    report.event(
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
  // Structural faults are more specific than a different hash.
  for (const { path, reason } of structure) faults.set(path, reason);
  for (const [path, reason] of faults) {
    // A snapshot's link would lead to the same content again.
    const file = join(folder, path);
    const real = await Deno.realPath(file).catch(() => undefined);
    const remedy = `${
      real === undefined ? "" : `remove ${real} and `
    }pull or copy the model again`;
    report.event(
      { event: "bad", name, path, file: real ?? file, reason, remedy },
      `${name}: ${path} is damaged: ${reason}; ${remedy}`,
    );
  }
  return reportFaults(suspect, files, faults, report, options);
}

/** Returns the faults of files whose content is wrong, by path. */
async function contentFaults(
  name: string,
  files: readonly ExpectedFile[],
  report: Report,
  options: VerifyCommandOptions,
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

/** Reports the result for a model, and returns true if it is intact. */
function reportFaults(
  { name, folder }: Suspect,
  files: readonly ExpectedFile[],
  faults: ReadonlyMap<string, string>,
  report: Report,
  { unknownPasses }: VerifyCommandOptions,
): boolean {
  const known = files.filter(({ hash }) => hash !== undefined);
  const sound = files.filter(({ path }) => !faults.has(path));
  const good = sound.filter(({ hash }) => hash !== undefined).length;
  const unchecked = sound.length - good;
  const bad = faults.size;
  const event = { event: "verified", name, folder, good, bad, unchecked };
  const others = unchecked === 0
    ? ""
    : `, ${unchecked} without a known hash${
      good + bad === 0 ? ": only their structure was checked" : ""
    }`;
  report.event(event, `${name}: ${good} files intact, ${bad} damaged${others}`);
  return bad === 0 && (known.length > 0 || unknownPasses);
}

/** Returns the paths of the files that are there. */
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
