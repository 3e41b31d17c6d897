/**
 * The tests of part hashes: their benefits, and the notice where there are
 * none.
 *
 * @module
 */

import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import { obtain } from "../../../deploy/cache/obtain.ts";
import type { Remote, RemoteFile } from "../../../deploy/cache/net/remote.ts";
import { fakeRemote, opening } from "../../support/fake_remote.ts";
import { sha256Of } from "../../support/hub_server.ts";
import { fastRetries, obtainOptions } from "../../support/obtain_options.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { hubModel, wantedOf } from "../../support/tiny_hub_model.ts";

const wanted = wantedOf(hubModel(5));
const SHARD = "model-00001-of-00002.safetensors";
const PART = 2 ** 14;

/**
 * Returns a place with hashes of parts, which sends a corrupt part `spoilt`
 * times.
 */
function partedRemote(spoilt: number, change = (file: RemoteFile) => file) {
  const whole = fakeRemote(wanted);
  const asked: string[] = [];
  let left = spoilt;
  const remote: Remote = {
    ...whole,
    list: async (signal) => {
      const { commit, files } = await whole.list(signal);
      return { commit, files: files.map((file) => change(parted(file))) };
    },
    read: async (file, range, signal) => {
      asked.push(`${file.path} ${range.start}`);
      const stream = await whole.read(file, range, signal);
      if (file.path !== SHARD || range.start !== PART || left-- <= 0) {
        return stream;
      }
      const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
      bytes[7]! ^= 1;
      return new Blob([bytes]).stream();
    },
  };
  return { remote, asked };
}

function parted(file: RemoteFile): RemoteFile {
  const content = wanted.get(file.path)!;
  const count = Math.ceil(content.length / PART);
  const sha256 = Array.from(
    { length: count },
    (_, i) => sha256Of(content.subarray(i * PART, (i + 1) * PART)),
  );
  return { ...file, parts: { bytes: PART, sha256 } };
}

function options(cache: string, remote: Remote, connections = 4) {
  return {
    ...obtainOptions(cache, "unused:"),
    transferOptions: { ...fastRetries, connections },
    openRemote: opening({ "org/tiny": remote }),
  };
}

Deno.test("obtain() fetches only the corrupt part again", async () => {
  using cache = temporaryFolder();
  const { remote, asked } = partedRemote(2);
  const heard: number[] = [];
  const folder = await obtain("org/tiny", {
    ...options(cache.path, remote),
    onProgress: ({ bytes }) => heard.push(bytes),
  });
  const shard = await Deno.readFile(join(folder, SHARD));
  strictEqual(sha256Of(shard), sha256Of(wanted.get(SHARD)!));
  const again = asked.filter((one, i) => asked.indexOf(one) !== i);
  deepStrictEqual(again, [`${SHARD} ${PART}`, `${SHARD} ${PART}`]);
  const sizes = [...wanted.values()].map(({ length }) => length);
  strictEqual(heard.at(-1), sizes.reduce((a, b) => a + b), "none counts twice");
});

Deno.test("obtain() records no part that stays corrupt, and keeps intact ones", async () => {
  using cache = temporaryFolder();
  const bad = partedRemote(Infinity);
  await rejects(
    obtain("org/tiny", options(cache.path, bad.remote, 1)),
    /Cannot use bytes 16384 to 32768 of model-00001.*does not match its published hash/,
  );
  const blobs = join(
    cache.path,
    "models--org--tiny/blobs",
    sha256Of(wanted.get(SHARD)!),
  );
  const noted = (await Deno.readTextFile(`${blobs}.emu3.journal`))
    .trim().split("\n").slice(1).map((line) => JSON.parse(line));
  deepStrictEqual(
    noted.map(({ part, sha256 }) => [part, sha256]),
    [[0, sha256Of(wanted.get(SHARD)!.subarray(0, PART))]],
  );
  const good = partedRemote(0);
  await obtain("org/tiny", options(cache.path, good.remote));
  ok(!good.asked.includes(`${SHARD} 0`));
  ok(good.asked.includes(`${SHARD} ${PART}`));
});

Deno.test("obtain() fails at once if hashes of parts contradict the hash of the whole", async () => {
  using cache = temporaryFolder();
  const { remote, asked } = partedRemote(
    0,
    (file) =>
      file.path === SHARD
        ? { ...file, sha256: "0".repeat(64), etag: "0".repeat(64) }
        : file,
  );
  await rejects(
    obtain("org/tiny", options(cache.path, remote)),
    /Cannot use model-00001.*does not match its published hash/,
  );
  deepStrictEqual(asked.filter((one, i) => asked.indexOf(one) !== i), []);
});

Deno.test("obtain() ignores part hashes of an unsuitable size", async () => {
  for (const bytes of [16, 2 ** 30]) {
    using cache = temporaryFolder();
    const { remote, asked } = partedRemote(0, ({ parts: _, ...file }) => ({
      ...file,
      parts: {
        bytes,
        sha256: new Array(Math.ceil(file.size / bytes)).fill("0".repeat(64)),
      },
    }));
    await obtain("org/tiny", options(cache.path, remote));
    const own = Math.ceil(wanted.get(SHARD)!.length / 2 ** 15);
    strictEqual(asked.filter((one) => one.startsWith(SHARD)).length, own);
  }
});

Deno.test("obtain() reports once that a place without hashes is trusted", async () => {
  using cache = temporaryFolder();
  const { remote } = partedRemote(0, ({ parts: _, ...file }) => ({
    ...file,
    sha256: undefined,
  }));
  const notices: string[] = [];
  const listening = {
    ...options(cache.path, remote),
    onNotice: (notice: string) => notices.push(notice),
  };
  await obtain("org/tiny", listening);
  strictEqual(notices.length, 1);
  match(notices[0]!, /^Cannot verify 7 files of a fake: it provides no hashes/);
  await obtain("org/tiny", listening);
  strictEqual(notices.length, 1);
});
