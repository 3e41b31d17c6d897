import { match, strictEqual } from "node:assert/strict";
import { stat } from "node:fs/promises";
import { isSystemError, readReason } from "../../../lib/loading/read_reason.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** Returns the error of `read`. */
async function errorOf(read: () => Promise<unknown>): Promise<unknown> {
  try {
    await read();
  } catch (error) {
    return error;
  }
  throw new Error("no error");
}

Deno.test("readReason() gives a remedy for errors of the system, and no codes", async () => {
  using folder = temporaryFolder();
  const file = folder.write("file", "");
  await Deno.symlink("loop", `${folder.path}/loop`);
  const cases: [() => Promise<unknown>, RegExp][] = [
    [() => Deno.open(`${file}s`), /^it does not exist; check its path$/],
    [() => stat(`${file}s`), /^it does not exist; check its path$/],
    [() => Deno.readTextFile(folder.path), /^it is a folder; name a file$/],
    [() => Deno.stat(`${file}/x`), /^a file is in the place of a folder; /],
    [() => stat(`${file}/x`), /^a file is in the place of a folder; /],
    [() => Deno.open(`${folder.path}/loop`), /^its symbolic links form a loop/],
  ];
  for (const [read, expected] of cases) {
    const error = await errorOf(read);
    strictEqual(isSystemError(error), true, `${error}`);
    match(readReason(error), expected);
  }
});

Deno.test("readReason() covers errors that a test cannot cause", () => {
  const cases: [Error, string][] = [
    [
      new Deno.errors.PermissionDenied("Permission denied (os error 13)"),
      "permission is denied; grant read access",
    ],
    [
      new Deno.errors.NotCapable('Requires read access to "x"'),
      "permission is denied; grant read access",
    ],
    [
      new Error("Too many open files (os error 24)"),
      "too many files are open; raise the limit (ulimit -n)",
    ],
    [
      new Error("Input/output error (os error 5), open 'x'"),
      'the system reports "Input/output error"; check the disk',
    ],
  ];
  for (const [error, expected] of cases) {
    strictEqual(readReason(error), expected);
  }
});

Deno.test("readReason() takes the remedy for a missing file", async () => {
  const error = await errorOf(() => Deno.open("/none/x"));
  strictEqual(
    readReason(error, "make it with task prepare-data"),
    "it does not exist; make it with task prepare-data",
  );
});

Deno.test("readReason() passes on the message of other errors", () => {
  for (const error of [new SyntaxError("it is truncated"), "it is truncated"]) {
    strictEqual(isSystemError(error), false);
    strictEqual(readReason(error), "it is truncated");
  }
});
