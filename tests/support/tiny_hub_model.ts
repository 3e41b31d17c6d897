/**
 * The models of hubs in tests: small, and unique in every byte.
 *
 * @module
 */

import type { HubModel } from "./hub_server.ts";
import { randomOf } from "./fault_schedule.ts";

/** Bytes of one shard of weights. */
export const SHARD_BYTES = 200_003;

/** Creates a checkpoint of two shards, with files that no download needs. */
export function hubModel(seed: number): HubModel {
  const text = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value));
  const shards = [1, 2].map((i) => `model-0000${i}-of-00002.safetensors`);
  const files = new Map<string, Uint8Array<ArrayBuffer>>([
    ["README.md", text("# not wanted")],
    ["pytorch_model.bin", text("not wanted")],
    ["config.json", text({ seed })],
    ["emu3.tiktoken", randomBytes(seed + 2, 5_000)],
    ["empty.txt", new Uint8Array()],
    [
      "model.safetensors.index.json",
      text({ weight_map: { a: shards[0], b: shards[1] } }),
    ],
    [shards[0]!, randomBytes(seed, SHARD_BYTES)],
    [shards[1]!, randomBytes(seed + 1, SHARD_BYTES)],
    ["vision/config.json", text({ seed, vision: true })],
  ]);
  return { commit: commitOf(seed), files };
}

/** Returns the files of a model that a checkpoint needs. */
export function wantedOf(
  model: HubModel,
): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map(
    [...model.files].filter(([path]) => !/README|bin$/.test(path)),
  );
}

/** Returns pseudorandom bytes. */
export function randomBytes(
  seed: number,
  count: number,
): Uint8Array<ArrayBuffer> {
  const random = randomOf(seed);
  return Uint8Array.from({ length: count }, () => 256 * random());
}

function commitOf(seed: number): string {
  return seed.toString(16).padStart(40, "c");
}
