/**
 * The errors of codecs that fail to load, which are never reported as damage.
 *
 * @module
 */

import { match, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { RuntimeError } from "../../../../lib/errors.ts";
import { loadCodec, loadFailure } from "../../../../lib/image/codec/load.ts";
import type { DecodeOutcome } from "../../../support/decode_process.ts";

const ROOT = new URL("../../../../", import.meta.url).pathname;
const SCRIPT = join(ROOT, "tests/support/decode_process.ts");
const PACKAGES = join(ROOT, "node_modules/.deno");

async function decode(
  picture: string,
  ...permissions: readonly string[]
): Promise<readonly DecodeOutcome[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--no-prompt",
      "--allow-read",
      "--allow-ffi",
      ...permissions,
      SCRIPT,
      join(ROOT, "tests/golden/preprocess", picture),
    ],
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("Codecs that may not read their own files report no damaged picture", async () => {
  for (
    const [picture, name] of [
      ["baseline_420.jpg", "@jsquash/jpeg"],
      ["lossy.webp", "@jsquash/webp"],
    ] as const
  ) {
    const folder = await Deno.realPath(join(ROOT, "node_modules", name));
    strictEqual(folder.startsWith(PACKAGES), true);
    const wasm = join(folder, "codec", "dec");
    const outcomes = await decode(picture, `--deny-read=${wasm}`);
    strictEqual(outcomes.length, 2);
    for (const outcome of outcomes) {
      strictEqual(outcome.name, "RuntimeError");
      match(
        outcome.message,
        new RegExp(`^Cannot load picture codec \\(${name}\\): .*read`),
      );
    }
  }
});

Deno.test("Codecs decode without variables", async () => {
  for (
    const picture of [
      "rgb.png",
      "baseline_420.jpg",
      "cmyk.jpg",
      "still.gif",
      "lossy.webp",
    ]
  ) {
    for (const { name, message } of await decode(picture)) {
      strictEqual(name, "none", `${picture}: ${message}`);
    }
  }
});

Deno.test("loadCodec() returns the codec, or the reason that it cannot", async () => {
  strictEqual(await loadCodec("x", () => Promise.resolve(7)), 7);
  await rejects(
    loadCodec("x", () => Promise.reject(new Error("no such file"))),
    (error) =>
      error instanceof RuntimeError &&
      error.message === "Cannot load picture codec (x): no such file",
  );
});

Deno.test("loadFailure() recognizes the system's errors, not those of a picture", () => {
  const coded = (code: string) => Object.assign(new Error("x"), { code });
  for (const code of ["ENOENT", "EACCES", "ERR_MODULE_NOT_FOUND"]) {
    strictEqual(loadFailure(coded(code)) instanceof RuntimeError, true, code);
  }
  for (const code of ["ERR_OUT_OF_RANGE", "Z_DATA_ERROR", "ERR_BUFFER"]) {
    strictEqual(loadFailure(coded(code)), undefined, code);
  }
  strictEqual(loadFailure("unreachable"), undefined);
  strictEqual(loadFailure(new WebAssembly.RuntimeError("trap")), undefined);
});
