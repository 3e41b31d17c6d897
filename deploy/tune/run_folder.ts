/**
 * The folder of a run: its settings, checkpoints, metrics and samples.
 *
 * ```text
 * {out}/tune.json                          settings, to compare on resumption
 * {out}/metrics.jsonl                      a line a step
 * {out}/checkpoints/step-000500.safetensors
 * {out}/samples/step-000500.png
 * {out}/report.html
 * ```
 *
 * @module
 */

import { join } from "node:path";
import { readSafetensorsHeader } from "../../lib/loading/safetensors.ts";
import type { Parameters } from "../../lib/tuning/parameters.ts";
import { TuningError } from "../../lib/tuning/tuning_error.ts";
import { onDisk } from "../cache/base/disk.ts";
import { isSystemError, readReason } from "../../lib/loading/read_reason.ts";
import {
  floatTensor,
  REMEDY,
  writeSafetensors,
  writeText,
} from "./safetensors_writer.ts";

/** The vectors that a checkpoint holds. */
const STATE = ["values", "first", "second"] as const;

/** The name of a checkpoint's file. */
const CHECKPOINT = /^step-(\d{6,})\.safetensors$/;

/** Manages the files of a run. */
export class RunFolder {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Opens the folder of a run, new or interrupted.
   *
   * @param settings Settings that an interrupted run must share.
   * @throws {TuningError} If it belongs to a run of other settings, or holds
   * other files.
   * @throws {DiskError} If it cannot be written.
   */
  static async open(
    folder: string,
    settings: Readonly<Record<string, unknown>>,
  ): Promise<RunFolder> {
    const path = join(folder, "tune.json");
    const given = JSON.parse(JSON.stringify(settings));
    const stored = await readJson(path);
    if (stored === undefined) {
      await refuseForeign(folder);
      await onDisk(folder, async () => {
        await Deno.mkdir(join(folder, "checkpoints"), { recursive: true });
        await Deno.mkdir(join(folder, "samples"), { recursive: true });
      }, REMEDY);
      await writeText(path, `${JSON.stringify(given, null, 2)}\n`);
    } else {
      refuseOther(folder, stored, given);
    }
    return new RunFolder(folder);
  }

  /** Returns the path of a file in the folder. */
  path(...names: readonly string[]): string {
    return join(this.#folder, ...names);
  }

  /**
   * Returns the names of the files in a folder of it.
   *
   * @throws {TuningError} If it cannot be read.
   */
  async names(folder: "checkpoints" | "samples"): Promise<string[]> {
    const path = this.path(folder);
    try {
      const entries = await Array.fromAsync(Deno.readDir(path));
      return entries.map(({ name }) => name);
    } catch (cause) {
      throw unreadable(path, cause);
    }
  }

  /**
   * Reads the newest checkpoint that is whole into `parameters`, and returns
   * its step; 0 if there is none.
   *
   * @param notice Called with the name of a damaged file that is passed over.
   */
  async resume(
    parameters: Parameters,
    notice: (line: string) => void,
  ): Promise<number> {
    for (const { name, step } of (await this.#checkpoints()).toReversed()) {
      const path = this.path("checkpoints", name);
      try {
        await readState(path, parameters);
        return step;
      } catch (error) {
        notice(`${name} is passed over: ${readReason(error)}`);
      }
    }
    return 0;
  }

  /**
   * Writes a checkpoint, then removes the oldest ones.
   *
   * @param keep Number of checkpoints that stay, 1 or more.
   * @throws {DiskError} If the disk refuses; earlier checkpoints stay.
   */
  async save(
    step: number,
    parameters: Parameters,
    keep: number,
  ): Promise<void> {
    const name = `step-${String(step).padStart(6, "0")}.safetensors`;
    const { length } = parameters.vector("values");
    const tensors = STATE.map((kind) => ({
      ...floatTensor(kind, [length], new Float32Array()),
      length: length * Float32Array.BYTES_PER_ELEMENT,
      read: async () => {
        const values = await parameters.vector(kind).read();
        return new Uint8Array(values.buffer);
      },
    }));
    const path = this.path("checkpoints", name);
    await writeSafetensors(path, tensors, { step: String(step) });
    const all = await this.#checkpoints();
    for (const { name } of all.slice(0, Math.max(0, all.length - keep))) {
      const old = this.path("checkpoints", name);
      await onDisk(old, () => Deno.remove(old), REMEDY);
    }
  }

  async #checkpoints(): Promise<{ name: string; step: number }[]> {
    const found: { name: string; step: number }[] = [];
    for (const name of await this.names("checkpoints")) {
      const step = CHECKPOINT.exec(name)?.[1];
      if (step !== undefined) found.push({ name, step: Number(step) });
    }
    return found.sort((a, b) => a.step - b.step);
  }
}

async function readState(path: string, parameters: Parameters): Promise<void> {
  const { tensors } = await readSafetensorsHeader(path);
  using file = await Deno.open(path);
  for (const kind of STATE) {
    const vector = parameters.vector(kind);
    const entry = tensors.get(kind);
    if (entry === undefined || entry.shape[0] !== vector.length) {
      throw new TuningError(`"${kind}" is missing or has another length`);
    }
    const bytes = new Uint8Array(entry.length);
    await file.seek(entry.offset, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) {
      const count = await file.read(bytes.subarray(at));
      if (count === null) throw new TuningError("it ends early");
      at += count;
    }
    await vector.write(0, new Float32Array(bytes.buffer));
  }
}

/** Refuses a folder that holds something else. */
async function refuseForeign(folder: string): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.startsWith(".") || name.endsWith(".partial")) continue;
      if (name === "checkpoints" || name === "samples") continue;
      throw new TuningError(
        `${folder} holds other files, such as "${name}": set --out to a new folder`,
      );
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof Deno.errors.NotADirectory) {
      throw new TuningError(
        `${folder} is a file: set --out to a new folder`,
        { cause: error },
      );
    }
    throw unreadable(folder, error);
  }
}

/** Returns the error for a path of the run that the system does not read. */
function unreadable(path: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause;
  return new TuningError(
    `${path} cannot be read: ${
      readReason(cause)
    }, or set --out to a new folder`,
    { cause },
  );
}

/** Refuses other settings: first one that only one side has. */
function refuseOther(
  folder: string,
  stored: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): void {
  const names = new Set([...Object.keys(given), ...Object.keys(stored)]);
  const others = [...names].map((name) => ({
    name,
    before: JSON.stringify(stored[name]),
    now: JSON.stringify(given[name]),
  })).filter(({ before, now }) => before !== now);
  // Others follow from it: --replay changes the number of records.
  const first =
    others.find(({ before, now }) =>
      before === undefined || now === undefined
    ) ?? others[0];
  if (first === undefined) return;
  const { name, before = "nothing", now = "nothing" } = first;
  throw new TuningError(
    `${folder} holds a run with "${name}" ${before}, this one has ${now}: use the same settings to go on, or set --out to a new folder`,
  );
}

async function readJson(
  path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    if (cause instanceof Deno.errors.NotADirectory) return undefined;
    if (cause instanceof SyntaxError) {
      throw new TuningError(
        `${path} is damaged: set --out to a new folder`,
        { cause },
      );
    }
    throw unreadable(path, cause);
  }
}
