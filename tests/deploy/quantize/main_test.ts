import { match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { parseKvScales } from "../../../models/config/kv_scales.ts";
import { folderModel } from "../../support/folder_model.ts";
import { hubServer, REPOSITORY } from "../../support/hub_server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";

const MAIN =
  new URL("../../../deploy/quantize/main.ts", import.meta.url).pathname;

/** Runs the command offline, unless variables name a hub. */
async function quantize(
  words: readonly string[],
  env: Readonly<Record<string, string>> = { HF_HUB_OFFLINE: "1" },
) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    env,
    args: [
      "run",
      "-q",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-sys",
      "--allow-net",
      "--allow-ffi",
      MAIN,
      ...words,
    ],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("quantize reports progress and result, and refuses an existing target", async () => {
  using folder = temporaryFolder();
  const out = join(folder.path, "out");
  const words = [tinyFolder("emu3-tiny"), "--precision", "int8", "--out", out];
  const made = await quantize(words);
  strictEqual(made.code, 0, made.stderr);
  match(made.stdout, /holds .*emu3-tiny in int8/);
  const events = made.stderr.trim().split("\n").map((line) => JSON.parse(line));
  strictEqual(events.at(-1).event, "quantized");
  const last = events.at(-2);
  strictEqual(last.what, "quantizing");
  strictEqual(last.bytes, last.total_bytes);
  const again = await quantize(words);
  strictEqual(again.code, 1);
  match(again.stderr, /it already exists/);
});

Deno.test("quantize --kv-scales stores the scales of an int8 KV cache", async () => {
  using folder = temporaryFolder();
  const out = join(folder.path, "out");
  const words = [tinyFolder("emu3-tiny"), "--precision", "int8", "--out", out];
  const made = await quantize([...words, "--kv-scales"]);
  strictEqual(made.code, 0, made.stderr);
  const { config } = await openLanguageCheckpoint(out);
  const file = await Deno.readTextFile(join(out, "kv_cache_scales.json"));
  strictEqual(parseKvScales(JSON.parse(file), config).length, config.layers);
});

Deno.test("quantize exits with 2 for invalid usage, with 1 for a missing model", async () => {
  const wrong = await quantize(["a"]);
  strictEqual(wrong.code, 2);
  match(wrong.stderr, /Usage: /);
  const missing = ["no/such", "--precision", "int4", "--out", "/dev/null/x"];
  const { code, stderr } = await quantize(missing);
  strictEqual(code, 1);
  match(stderr, /Cannot find model "no\/such"/);
});

Deno.test("quantize accepts the server's sources: it downloads a model from a hub first", async () => {
  using folder = temporaryFolder();
  const model = await folderModel(tinyFolder("emu3-tiny"));
  await using hub = hubServer({ versions: [model] });
  const out = join(folder.path, "out");
  const words = [REPOSITORY, "--precision", "int4", "--out", out];
  const env = {
    HF_ENDPOINT: hub.endpoint,
    MODEL_CACHE: join(folder.path, "cache"),
  };
  const { code, stdout, stderr } = await quantize(words, env);
  strictEqual(code, 0, stderr);
  match(stdout, /out holds org\/tiny in int4/);
  strictEqual((await Deno.stat(join(out, "config.json"))).isFile, true);
});
