import { match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";
import { tinyRecords } from "../../support/tuning_set.ts";

const MAIN = new URL("../../../deploy/tune/main.ts", import.meta.url).pathname;

/** Runs the command; returns its exit code and all that it printed. */
async function run(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", MAIN, ...words],
    env: { ...env, NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Writes a prepared set in JSONL. */
function writeSet(write: (name: string, text: string) => void): void {
  const lines = tinyRecords(4).map(({ codes, height, width, ...record }) => {
    const rows = Array.from(
      { length: height },
      (_, row) => [...codes.subarray(row * width, (row + 1) * width)],
    );
    return JSON.stringify({ ...record, height, width, codes: rows });
  });
  write("data/data-00000.jsonl", `${lines.join("\n")}\n`);
  const shards = [{ file: "data-00000.jsonl", records: lines.length }];
  write(
    "data/manifest.json",
    JSON.stringify({ version: 1, form: "jsonl", records: 4, shards }),
  );
}

Deno.test("tune runs from the command line to an adapter", async () => {
  using temporary = temporaryFolder();
  writeSet((name, text) => temporary.write(name, text));
  const model = tinyFolder("emu3-tiny");
  const out = join(temporary.path, "mine");
  const data = join(temporary.path, "data");
  const words = [data, "--model", model, "--out", out, "--max-tokens", "128"];
  const done = await run([...words, "--steps", "2"]);
  strictEqual(done.code, 0, done.text);
  match(done.text, /"event":"tuned"/);
  ok((await Deno.stat(join(out, "adapter_model.safetensors"))).isFile);
  const other = await run([...words, "--steps", "2"], { DEVICE: "tpu" });
  strictEqual(other.code, 1);
  match(other.text, /DEVICE "tpu" is unknown, expected auto, cpu, cuda/);
  const more = [...words, "--steps", "2", "--replay"];
  const missing = await run([...more, join(temporary.path, "own")]);
  strictEqual(missing.code, 1);
  match(missing.text, /own: it does not exist; make it with task/);
  const changed = await run([...more, data]);
  strictEqual(changed.code, 1);
  match(changed.text, /holds a run with "replay" nothing, this one has/);
});

Deno.test("tune reports a fault with its exit code", async () => {
  using temporary = temporaryFolder();
  const misused = await run(["--out", "x"]);
  strictEqual(misused.code, 2);
  match(misused.text, /no folder of prepared data is named/);
  const model = tinyFolder("emu3-tiny");
  const out = join(temporary.path, "out");
  const empty = await run([temporary.path, "--model", model, "--out", out]);
  strictEqual(empty.code, 1);
  match(empty.text, /^Cannot /);
  const none = await run([out, "--model", model, "--out", out]);
  strictEqual(none.code, 1);
  match(none.text, /^Cannot open .*: it does not exist; make it with task/);
});

Deno.test("tune prints the plan of a configuration without weights", async () => {
  const hub = new URL("../../golden/hub/Emu3-Gen", import.meta.url).pathname;
  const { code, text } = await run(["--plan", "--model", hub]);
  strictEqual(code, 0, text);
  match(text, /8\.49 B weights, 41\.9 M trained/);
  match(text, /int4 on a GPU .* yes/);
});
