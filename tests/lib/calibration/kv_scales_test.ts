import { deepStrictEqual, rejects, throws } from "node:assert/strict";
import { join } from "node:path";
import { CheckpointError } from "../../../lib/errors.ts";
import { kvScales, writeKvScales } from "../../../lib/calibration/kv_scales.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import {
  kvScalesJson,
  parseKvScales,
} from "../../../models/config/kv_scales.ts";
import { changedFolder } from "../../support/changed_folder.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";

const FILE = "kv_cache_scales.json";

async function scalesOf(path: string, write = false, cacheFolder?: string) {
  await using runtime = new Runtime({ threads: 1 });
  const checkpoint = await openLanguageCheckpoint(path);
  const { text, vocabulary } = await openTextSide(checkpoint);
  using _ = text;
  await text.ready;
  const writer = { text, vocabulary };
  if (write) await writeKvScales(runtime, checkpoint, writer);
  return await kvScales(runtime, checkpoint, writer, cacheFolder);
}

Deno.test("kvScales() returns those that writeKvScales() stored, which equal those calibrated without a file", async () => {
  const calibrated = await scalesOf(tinyFolder("emu3-tiny"));
  using folder = changedFolder(tinyFolder("emu3-tiny"), {});
  deepStrictEqual(await scalesOf(folder.path, true), calibrated);
  const { config } = await openLanguageCheckpoint(folder.path);
  const json = JSON.parse(await Deno.readTextFile(join(folder.path, FILE)));
  deepStrictEqual(parseKvScales(json, config), calibrated);
  // Other scales in the file are used, instead of calibrating again.
  const doubled = calibrated.map(({ key, value }) => ({
    key: key.map((scale) => 2 * scale),
    value,
  }));
  await Deno.writeTextFile(join(folder.path, FILE), kvScalesJson(doubled));
  deepStrictEqual(await scalesOf(folder.path), doubled);
});

Deno.test("kvScales() keeps what it calibrates in the cache folder until a file of the checkpoint changes", async () => {
  using folder = changedFolder(tinyFolder("emu3-tiny"), {});
  using cache = temporaryFolder();
  const calibrated = await scalesOf(folder.path, false, cache.path);
  const kept = join(cache.path, "kv_scales");
  const [file] = await Array.fromAsync(Deno.readDir(kept));
  const path = join(kept, file!.name);
  const { config } = await openLanguageCheckpoint(folder.path);
  const text = await Deno.readTextFile(path);
  deepStrictEqual(parseKvScales(JSON.parse(text), config), calibrated);
  const other = calibrated.map(({ key, value }) => ({
    key: value,
    value: key,
  }));
  await Deno.writeTextFile(path, kvScalesJson(other));
  deepStrictEqual(await scalesOf(folder.path, false, cache.path), other);
  // A damaged file is calibrated again, and so is another checkpoint.
  await Deno.writeTextFile(path, text.slice(0, 100));
  deepStrictEqual(await scalesOf(folder.path, false, cache.path), calibrated);
  deepStrictEqual(await Deno.readTextFile(path), text);
  await Deno.writeTextFile(path, kvScalesJson(other));
  await Deno.writeTextFile(join(folder.path, "more.json"), "{}");
  deepStrictEqual(await scalesOf(folder.path, false, cache.path), calibrated);
  deepStrictEqual((await Array.fromAsync(Deno.readDir(kept))).length, 2);
});

Deno.test("kvScales() calibrates where the cache folder cannot be written", async () => {
  const expected = await scalesOf(tinyFolder("emu3-tiny"));
  using cache = temporaryFolder();
  cache.write("kv_scales", "a file in place of the folder");
  const folder = tinyFolder("emu3-tiny");
  deepStrictEqual(await scalesOf(folder, false, cache.path), expected);
});

Deno.test("kvScales() refuses a file of another model, and names it", async () => {
  using folder = changedFolder(tinyFolder("emu3-tiny"), {
    [FILE]: '{"key": [[1]], "value": [[1]]}',
  });
  await rejects(scalesOf(folder.path), (error) => {
    return error instanceof CheckpointError &&
      /kv_cache_scales\.json.*expected/s.test(error.message);
  });
});

Deno.test("parseKvScales() refuses other numbers than positive ones, and other numbers of layers", async () => {
  const { config } = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  const { layers, keyValueHeads, headSize } = config;
  const layer = Array<number>(keyValueHeads * headSize).fill(1);
  const all = Array(layers).fill(layer);
  parseKvScales({ key: all, value: all }, config);
  for (const scale of [0, -1, null, "1"]) {
    const value = [[scale, ...layer.slice(1)], ...all.slice(1)];
    throws(() => parseKvScales({ key: all, value }, config), SyntaxError);
  }
  throws(() => parseKvScales({ key: all }, config), SyntaxError);
  throws(() => parseKvScales([], config), SyntaxError);
  throws(
    () => parseKvScales({ key: all, value: [...all, layer] }, config),
    /expected scales of 2 layers/,
  );
});
