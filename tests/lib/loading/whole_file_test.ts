import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { writeWholeFile } from "../../../lib/loading/whole_file.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const namesIn = (folder: string) =>
  Array.from(Deno.readDirSync(folder), ({ name }) => name);

Deno.test("writeWholeFile() replaces a file by text or bytes, and leaves nothing beside it", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  await writeWholeFile(path, "first, and longer");
  await writeWholeFile(path, "second");
  strictEqual(await Deno.readTextFile(path), "second");
  await writeWholeFile(path, Uint8Array.of(1, 2, 3));
  deepStrictEqual(await Deno.readFile(path), Uint8Array.of(1, 2, 3));
  deepStrictEqual(namesIn(folder.path), ["file"]);
});

Deno.test("writeWholeFile() leaves what it cannot replace, and nothing beside it", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "taken");
  await Deno.mkdir(join(path, "inside"), { recursive: true });
  await rejects(() => writeWholeFile(path, "text"), { code: "EISDIR" });
  deepStrictEqual(namesIn(folder.path), ["taken"]);
  deepStrictEqual(namesIn(path), ["inside"]);
  await rejects(
    () => writeWholeFile(join(folder.path, "missing", "file"), "text"),
    Deno.errors.NotFound,
  );
});
