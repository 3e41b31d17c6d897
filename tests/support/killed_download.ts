/**
 * The download in a process that is killed once its journal reaches a state,
 * and the bytes that are fetched again afterwards.
 *
 * @module
 */

import { join } from "node:path";
import { PartJournal } from "../../deploy/cache/transfer/part_journal.ts";
import type { OtherTransferOptions, Outcome } from "./obtain_process.ts";

/** Polling interval of the journal, in milliseconds. */
const LOOK_MS = 20;

/** Repository of a slow hub. */
export const LARGE = "org/large";

/**
 * Downloads from the hub at `endpoint`, to the end or until `isTime`.
 *
 * @param isTime Returns true when the process is to be killed.
 * @returns Outcome; undefined if the process was killed.
 */
export async function obtainUntil(
  cache: string,
  endpoint: string,
  transferOptions: Partial<OtherTransferOptions>,
  isTime: () => Promise<boolean>,
): Promise<Outcome | undefined> {
  const script = new URL("./obtain_process.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-q", "-A", script, LARGE, cache, endpoint],
      JSON.stringify(transferOptions),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = new Response(child.stdout).text();
  let ended = false;
  const end = child.status.then(() => ended = true);
  while (!ended && !await isTime()) {
    await Promise.race([
      end,
      new Promise((resolve) => setTimeout(resolve, LOOK_MS)),
    ]);
  }
  try {
    child.kill("SIGKILL");
  } catch {
    // The process has ended by itself.
  }
  const last = (await output).trim().split("\n").at(-1) ?? "";
  return last.startsWith("{") ? JSON.parse(last) : undefined;
}

/** Returns the incomplete file in a cache; undefined if there is none. */
export async function incompleteIn(
  cache: string,
): Promise<{ path: string; journal: string; name: string } | undefined> {
  const blobs = join(cache, "models--org--large", "blobs");
  try {
    for await (const { name: file } of Deno.readDir(blobs)) {
      const name = /^(.{64})\.emu3\.incomplete$/.exec(file)?.[1];
      if (name === undefined) continue;
      const journal = join(blobs, `${name}.emu3.journal`);
      return { path: join(blobs, file), journal, name };
    }
  } catch {
    // The folder does not exist yet.
  }
  return undefined;
}

/** Counts the bytes that the journal of the incomplete file records. */
export async function notedBytes(
  cache: string,
  { size, partBytes }: { readonly size: number; readonly partBytes: number },
): Promise<number> {
  const file = await incompleteIn(cache);
  if (file === undefined) return 0;
  // A copy is read: the journal belongs to another process.
  const copy = `${file.journal}.copy`;
  try {
    await Deno.copyFile(file.journal, copy);
    const job = { file: file.name, size, partBytes };
    using journal = await PartJournal.open(copy, job, false);
    const whole = [...journal.parts.keys()].map((part) =>
      Math.min(partBytes, size - part * partBytes)
    );
    const starts = [...journal.starts.values()].map(({ bytes }) => bytes);
    return [...whole, ...starts].reduce((sum, bytes) => sum + bytes, 0);
  } catch {
    // The file has been renamed since.
    return 0;
  } finally {
    await Deno.remove(copy).catch(() => {});
  }
}
