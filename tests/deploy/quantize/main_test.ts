import { match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";

const MAIN =
  new URL("../../../deploy/quantize/main.ts", import.meta.url).pathname;

async function quantize(...words: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-sys",
      MAIN,
      ...words,
    ],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("quantize tells how far it is and what it made, and refuses to make it twice", async () => {
  using folder = temporaryFolder();
  const out = join(folder.path, "out");
  const words = [tinyFolder("emu3-tiny"), "--precision", "int8", "--out", out];
  const made = await quantize(...words);
  strictEqual(made.code, 0, made.stderr);
  match(made.stdout, /holds .*emu3-tiny in int8/);
  const last = JSON.parse(made.stderr.trim().split("\n").at(-1)!);
  strictEqual(last["done_bytes"], last["total_bytes"]);
  const again = await quantize(...words);
  strictEqual(again.code, 1);
  match(again.stderr, /it exists already/);
});

Deno.test("quantize exits with 2 when it is asked wrongly, with 1 when there is no such model", async () => {
  const wrong = await quantize("a");
  strictEqual(wrong.code, 2);
  match(wrong.stderr, /Usage: /);
  const missing = ["no/such", "--precision", "int4", "--out", "/dev/null/x"];
  const { code, stderr } = await quantize(...missing);
  strictEqual(code, 1);
  match(stderr, /Cannot find model "no\/such"/);
});
