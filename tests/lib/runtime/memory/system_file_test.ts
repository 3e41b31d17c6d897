import { ok, strictEqual } from "node:assert/strict";
import { readSystemFile } from "../../../../lib/runtime/memory/system_file.ts";

const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "readSystemFile() reads a file of the system to its end",
  ignore,
  fn: () => {
    const version = Deno.readTextFileSync("/proc/version");
    strictEqual(readSystemFile("/proc/version"), version);
    // Longer than one piece, and not all of it ASCII.
    const { pathname } = new URL("../../../bench/RESULTS.md", import.meta.url);
    const results = Deno.readTextFileSync(pathname);
    ok(results.length > 1 << 14 && /[^\0-\x7f]/.test(results));
    strictEqual(readSystemFile(pathname), results);
  },
});

Deno.test("readSystemFile() returns undefined if there is no file", () => {
  strictEqual(readSystemFile("/proc/no/such/file"), undefined);
  strictEqual(readSystemFile("/proc"), undefined, "a folder");
});

Deno.test({
  name: "readSystemFile() needs no more than native code does",
  ignore,
  permissions: { ffi: true },
  fn: () => ok(readSystemFile("/proc/self/cgroup")!.includes(":")),
});

Deno.test({
  name: "readSystemFile() reads nothing where native code is not allowed",
  permissions: "none",
  fn: () => strictEqual(readSystemFile("/proc/version"), undefined),
});
