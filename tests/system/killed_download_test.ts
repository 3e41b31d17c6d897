/**
 * The tests of killed downloads: only a bounded rest is fetched again, at any
 * moment and for any size of parts.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { randomOf } from "../support/fault_schedule.ts";
import {
  incompleteIn,
  notedBytes,
  obtainUntil,
} from "../support/killed_download.ts";
import { fastRetries } from "../support/obtain_options.ts";
import { slowHub } from "../support/slow_hub.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const KIBIBYTE = 2 ** 10;
const SIZE = 4 * 2 ** 20 + 12_345;

/** A policy that never gives up: processes wait for each other. */
const PATIENT = { stallMs: 600_000 };

/** Bytes of each response after which the hub stalls. */
const HELD = 700 * KIBIBYTE;

/**
 * Most bytes fetched again: a start is recorded in steps, reported in steps and
 * by chunks.
 */
const REST = (64 + 64 + 256) * KIBIBYTE;

for (
  const [name, partBytes, workers] of [
    ["in this thread", 2 ** 20, 0],
    ["in workers", 2 ** 20, 2],
    ["of one piece", 2 ** 23, 0],
  ] as const
) {
  Deno.test(`obtain() ${name} resumes a killed download within its parts`, async () => {
    using cache = temporaryFolder();
    let held = true;
    await using hub = slowHub(SIZE, {
      holdAfter: () => held ? HELD : Infinity,
    });
    const transferOptions = { ...PATIENT, partBytes, workers };
    const whole = partBytes > SIZE;
    const job = { size: SIZE, partBytes: whole ? SIZE : partBytes };
    const most = (whole ? 1 : fastRetries.connections) * (HELD - REST);
    // No part is complete, and none ever will be.
    await obtainUntil(
      cache.path,
      hub.endpoint,
      transferOptions,
      async () => await notedBytes(cache.path, job) >= most,
    );
    const noted = await notedBytes(cache.path, job);
    const asked = hub.asked.bytes;
    held = false;
    await finish(cache.path, hub.endpoint, transferOptions);
    const again = hub.asked.bytes - asked;
    ok(again <= SIZE - noted, `${again} of ${SIZE - noted} bytes`);
  });
}

Deno.test("obtain() fetches nothing again that the journal records, at any moment", async () => {
  const random = randomOf(7);
  for (const partBytes of [2 ** 17, 2 ** 18, 2 ** 21]) {
    using cache = temporaryFolder();
    await using hub = slowHub(SIZE, { bytesPerSecond: 4e6 });
    const transferOptions = { ...PATIENT, partBytes };
    const job = { size: SIZE, partBytes };
    const until = (0.1 + 0.7 * random()) * SIZE;
    await obtainUntil(
      cache.path,
      hub.endpoint,
      transferOptions,
      async () => await notedBytes(cache.path, job) >= until,
    );
    const noted = await notedBytes(cache.path, job);
    const asked = hub.asked.bytes;
    await finish(cache.path, hub.endpoint, transferOptions);
    const again = hub.asked.bytes - asked;
    ok(again <= SIZE - noted, `${again} of ${SIZE - noted} bytes`);
  }
});

Deno.test("obtain() finds parts torn by a power loss and fetches them again", async () => {
  for (const partBytes of [2 ** 18, 2 ** 23]) {
    using cache = temporaryFolder();
    let held = true;
    // Small parts of the first half are complete, and no others.
    const isHeld = () => partBytes < HELD && hub.asked.bytes > SIZE / 2;
    await using hub = slowHub(SIZE, {
      holdAfter: () => held ? (isHeld() ? 0 : HELD) : Infinity,
    });
    const transferOptions = { ...PATIENT, partBytes };
    const job = { size: SIZE, partBytes: Math.min(SIZE, partBytes) };
    await obtainUntil(
      cache.path,
      hub.endpoint,
      transferOptions,
      async () => await notedBytes(cache.path, job) > 0,
    );
    const file = await incompleteIn(cache.path);
    {
      using data = await Deno.open(file!.path, { write: true });
      await data.write(new Uint8Array(5_000).fill(1));
    }
    held = false;
    await finish(cache.path, hub.endpoint, transferOptions);
  }
});

/** Downloads to the end, and checks the content. */
async function finish(
  cache: string,
  endpoint: string,
  transferOptions: Parameters<typeof obtainUntil>[2],
): Promise<void> {
  const outcome = await obtainUntil(
    cache,
    endpoint,
    transferOptions,
    () => Promise.resolve(false),
  );
  ok(outcome !== undefined && "folder" in outcome, JSON.stringify(outcome));
  const path = join(outcome.folder, "model.safetensors");
  const hex = createHash("sha256").update(await Deno.readFile(path))
    .digest("hex");
  ok((await Deno.realPath(path)).endsWith(hex));
}
