/**
 * `models verify`: files are hashed again, and compared with what they must be.
 *
 * @module
 */

import { hashFiles, type HashOptions } from "../cache/hashing/hash_files.ts";
import { ManifestError } from "../cache/manifest/manifest_fields.ts";
import { expectedFiles, faultOf } from "./expected_files.ts";
import type { Report } from "./report.ts";

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
  { name, folder }: Suspect,
  report: Report,
  options: VerifyOptions,
): Promise<boolean> {
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
  let bad = 0;
  for (const [index, file] of known.entries()) {
    const outcome = outcomes[index]!;
    const reason = outcome.type === "failure"
      ? `it cannot be read: ${outcome.reason}`
      : faultOf(file, outcome.hashes);
    if (reason === undefined) continue;
    bad++;
    const { path } = file;
    // The link of a snapshot would lead to the same content again.
    const real = await Deno.realPath(file.from).catch(() => file.from);
    const remedy = `remove ${real} and pull or copy the model again`;
    report.tell(
      { event: "bad", name, path, file: real, reason, remedy },
      `${name}: ${path} is bad: ${reason}; ${remedy}`,
    );
  }
  const unchecked = files.length - known.length;
  const good = known.length - bad;
  const event = { event: "verified", name, folder, good, bad, unchecked };
  const others = unchecked === 0
    ? ""
    : `, ${unchecked} that nothing says a hash of`;
  report.tell(event, `${name}: ${good} files good, ${bad} bad${others}`);
  return bad === 0 && (known.length > 0 || options.unknownPasses);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
