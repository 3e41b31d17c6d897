/**
 * The check for weights that exist but cannot be opened: shards without their
 * index, and files of other names or formats.
 *
 * @module
 */

import { join } from "node:path";
import { CheckpointError } from "../errors.ts";

/** The name of the weight file of a checkpoint without shards. */
export const SINGLE_FILE = "model.safetensors";

const SHARD = /^(.+)-\d{5}-of-(\d{5})\.safetensors$/;
const OTHER_FORMAT = /\.(bin|pt|pth|ckpt|gguf|h5|msgpack)$/i;

/** The maximum number of names in a message. */
const MAX_SHOWN = 3;

/**
 * Refuses a folder that has neither an index nor the single weight file.
 *
 * @throws {CheckpointError} If there are other weights; the message names the
 * found and the missing files.
 */
export async function refuseUnusableWeights(folder: string): Promise<void> {
  const names = await namesIn(folder);
  if (names.includes(SINGLE_FILE)) return;
  const shards = names.map((name) => SHARD.exec(name))
    .filter((found) => found !== null);
  const [first] = shards;
  if (first !== undefined) {
    const [, stem, count] = first;
    throw new CheckpointError(
      join(folder, `${stem}.safetensors.index.json`),
      `the file does not exist, and ${shards.length} of ${
        Number(count)
      } shards need it as their index; copy it from their source`,
    );
  }
  const safetensors = names.filter((name) => name.endsWith(".safetensors"));
  if (safetensors.length > 0) {
    throw new CheckpointError(
      join(folder, SINGLE_FILE),
      `the file does not exist, only ${
        listed(safetensors)
      }; rename the weights to this name`,
    );
  }
  const others = names.filter((name) => OTHER_FORMAT.test(name));
  if (others.length === 0) return;
  throw new CheckpointError(
    join(folder, SINGLE_FILE),
    `the file does not exist, only ${
      listed(others)
    }; save the model again as safetensors`,
  );
}

function listed(names: readonly string[]): string {
  const more = names.length > MAX_SHOWN
    ? ` and ${names.length - MAX_SHOWN} more`
    : "";
  return `${names.slice(0, MAX_SHOWN).join(", ")}${more}`;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name).sort();
  } catch {
    // The error of opening the file is more specific.
    return [];
  }
}
