import { ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import {
  isWithin,
  openPlainFile,
  PlainFileError,
  refuseLinkOut,
  writePlainFile,
} from "../../../lib/loading/plain_file.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("openPlainFile() creates a file, opens it again and truncates nothing", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  (await openPlainFile(path)).close();
  await writePlainFile(path, Uint8Array.of(1, 2, 3));
  {
    using file = await openPlainFile(path, { append: true });
    await file.write(Uint8Array.of(4));
  }
  strictEqual((await Deno.readFile(path)).join(), "1,2,3,4");
  await writePlainFile(path, Uint8Array.of(5));
  strictEqual((await Deno.readFile(path)).join(), "5");
});

Deno.test({
  name: "openPlainFile() refuses links, folders and pipes, and does not wait",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using folder = temporaryFolder();
    const victim = folder.write("victim", "precious");
    const pipe = join(folder.path, "pipe");
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    for (
      const path of [
        folder.link("link", victim),
        folder.link("nowhere", join(folder.path, "none")),
        folder.path,
        pipe,
      ]
    ) {
      await rejects(openPlainFile(path), PlainFileError);
      await rejects(writePlainFile(path, Uint8Array.of(1)), PlainFileError);
    }
    strictEqual(await Deno.readTextFile(victim), "precious");
    await rejects(Deno.lstat(join(folder.path, "none")), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "refuseLinkOut() refuses links that lead out of a folder, no others",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using folder = temporaryFolder();
    using other = temporaryFolder();
    folder.write("a/b/file", "x");
    folder.link("within", "a/b");
    folder.link("out", other.path);
    folder.link("a/up", "../..");
    folder.link("nowhere", "none");
    const at = (path: string) => join(folder.path, path);
    for (const path of ["a/b", "a/b/file", "within/file", "none/at/all"]) {
      await refuseLinkOut(folder.path, at(path));
    }
    for (const path of ["out", "out/deep", "a/up/x", "nowhere/x"]) {
      await rejects(refuseLinkOut(folder.path, at(path)), PlainFileError);
    }
    const root = other.link("root", folder.path);
    await refuseLinkOut(root, join(root, "a/b"));
    await rejects(refuseLinkOut(root, join(root, "out")), PlainFileError);
  },
});

Deno.test("isWithin() compares names, not letters", () => {
  ok(isWithin("/a", "/a/b"));
  ok(isWithin("/a", "/a/..b"));
  ok(!isWithin("/a", "/a"));
  ok(!isWithin("/a", "/ab"));
  ok(!isWithin("/a/b", "/a"));
});
