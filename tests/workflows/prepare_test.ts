/**
 * Laws of the chain `prepare` on a real Restate server, with emulated endpoints.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { openPrepared } from "../../deploy/prepare/open_prepared.ts";
import { encodePng } from "../../lib/image/encode_png.ts";
import { writeNpy } from "../../lib/npy.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";
import { ChainClient } from "./chains/chain_client.ts";
import { emulatedChains } from "./chains/emulated_chains.ts";

/** Facts of the emulated vision tokenizer. */
const MODELS = {
  data: [{
    id: "emulated",
    preprocessing: {
      spatial_factor: 8,
      min_pixels: 64,
      max_pixels: 262_144,
    },
  }],
};

/** Returns the answers of the endpoints that preparation calls. */
function encoding(path: string): Response | undefined {
  if (path === "GET /v1/models") return Response.json(MODELS);
  if (path !== "POST /v1/tokenize") return undefined;
  return new Response(writeNpy([2, 2], Uint16Array.of(1, 2, 3, 4)));
}

/** Writes pictures with a text each. */
function pictures(folder: TemporaryFolder, count: number): void {
  const size = { height: 16, width: 16 };
  for (let i = 0; i < count; i++) {
    const pixels = new Uint8ClampedArray(3 * 256).fill(i);
    folder.write(`in/${i}.png`, encodePng({ ...size, pixels }, {}));
    folder.write(`in/${i}.txt`, `picture ${i}`);
  }
}

const INPUT = { data: "in", out: "set", resize: "smart", to: "jsonl" };

Deno.test("prepare writes a set in parts, which task tune reads", async () => {
  using folder = temporaryFolder();
  pictures(folder, 12);
  folder.write("in/broken.png", "no picture");
  await using at = await emulatedChains({ intercept: encoding }, {
    dataFolder: folder.path,
  });
  const chain = new ChainClient(at.chains, "prepare", "one");
  const { status, body } = await chain.run({ ...INPUT, shards: 3 });
  strictEqual(status, 200, JSON.stringify(body));
  strictEqual(body["records"], 12);
  strictEqual(body["errors"], 1);
  const parts = body["parts"] as Record<string, unknown>[];
  strictEqual(parts[1]!["manifest"], "set/shard-00001-of-00003/manifest.json");
  await using set = await openPrepared(`${folder.path}/set`);
  strictEqual(set.length, 12);
  const shown = await chain.status();
  deepStrictEqual(shown?.progress, { done: 3, failed: 0, total: 3 });
});

Deno.test("prepare refuses paths that lead out of the folder of data", async () => {
  using folder = temporaryFolder();
  pictures(folder, 1);
  folder.link("away", "/");
  await using at = await emulatedChains({ intercept: encoding }, {
    dataFolder: folder.path,
  });
  for (
    const [key, fields] of Object.entries({
      up: { data: "../elsewhere" },
      absolute: { out: "/set" },
      link: { out: "away/tmp/set" },
    })
  ) {
    const chain = new ChainClient(at.chains, "prepare", key);
    const { status, body } = await chain.run({ ...INPUT, ...fields });
    strictEqual(status, 422);
    match(`${body["message"]}`, /leads out of the folder of data/);
  }
  const absent = new ChainClient(at.chains, "prepare", "absent");
  const { status, body } = await absent.run({ ...INPUT, data: "nowhere" });
  strictEqual(status, 422, JSON.stringify(body));
});

Deno.test("prepare says that it is not configured", async () => {
  await using at = await emulatedChains();
  const chain = new ChainClient(at.chains, "prepare", "one");
  const { status, body } = await chain.run(INPUT);
  strictEqual(status, 501);
  match(`${body["message"]}`, /WORKFLOWS_DATA is not set/);
});

Deno.test("a canceled prepare stops, and a later one goes on where it was", async () => {
  using folder = temporaryFolder();
  pictures(folder, 6);
  let encoded = 0;
  let held = true;
  await using at = await emulatedChains({
    intercept: async (path) => {
      if (path === "POST /v1/tokenize" && ++encoded > 3) {
        await until(() => !held);
      }
      return encoding(path);
    },
  }, { dataFolder: folder.path });
  const first = new ChainClient(at.chains, "prepare", "first");
  await first.start(INPUT);
  await until(() => encoded > 3);
  await first.cancel();
  strictEqual((await first.attach()).status, 409);
  held = false;
  const second = new ChainClient(at.chains, "prepare", "second");
  const { status, body } = await second.run(INPUT);
  strictEqual(status, 200, JSON.stringify(body));
  strictEqual(body["records"], 6);
});

Deno.test("a part goes on where it was after a restart of Restate", async () => {
  using folder = temporaryFolder();
  pictures(folder, 40);
  let encoded = 0;
  let held = true;
  await using at = await emulatedChains({
    intercept: async (path) => {
      if (path === "POST /v1/tokenize" && ++encoded > 20) {
        await until(() => !held);
      }
      return encoding(path);
    },
  }, { dataFolder: folder.path });
  const chain = new ChainClient(at.chains, "prepare", "one");
  await chain.start(INPUT);
  await until(() => encoded > 20);
  await at.chains.restart();
  held = false;
  const { status, body } = await chain.attach();
  strictEqual(status, 200, JSON.stringify(body));
  strictEqual(body["records"], 40);
  ok(encoded < 60, `${encoded} pictures were encoded`);
});
