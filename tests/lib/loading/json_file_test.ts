import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { CheckpointError } from "../../../lib/errors.ts";
import {
  parseJsonFile,
  readJson,
  readText,
} from "../../../lib/loading/json_file.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

function refusal(file: string, reason: string): (error: unknown) => boolean {
  return (error) => {
    ok(error instanceof CheckpointError, String(error));
    strictEqual(error.message, `Cannot open ${file}: ${reason}`);
    strictEqual(error.file, file);
    return true;
  };
}

Deno.test("readJson() and readText() return undefined if there is no file", async () => {
  using folder = temporaryFolder();
  strictEqual(await readJson(`${folder.path}/none.json`), undefined);
  strictEqual(await readText(`${folder.path}/none.json`), undefined);
});

Deno.test("readJson() names a file that is not JSON, and one that cannot be read", async () => {
  using folder = temporaryFolder();
  const file = folder.write("config.json", "{");
  await rejects(readJson(file), refusal(file, "it is not JSON"));
  const { path } = folder;
  await rejects(
    readJson(path),
    refusal(path, "it is not a file"),
  );
});

Deno.test("parseJsonFile() parses an existing file, or the value for a missing one", async () => {
  using folder = temporaryFolder();
  const same = (json: unknown) => json;
  const file = folder.write("config.json", '{"a": 1}');
  deepStrictEqual(await parseJsonFile(file, same, {}), { a: 1 });
  const none = `${folder.path}/none.json`;
  deepStrictEqual(await parseJsonFile(none, same, {}), {});
  await rejects(
    parseJsonFile(none, same),
    refusal(none, "the file does not exist"),
  );
});

Deno.test("parseJsonFile() passes a null to the parser", async () => {
  using folder = temporaryFolder();
  const file = folder.write("config.json", "null");
  strictEqual(await parseJsonFile(file, (json) => json, {}), null);
});

Deno.test("parseJsonFile() names the file when the parser refuses it, and rethrows bugs", async () => {
  using folder = temporaryFolder();
  const file = folder.write("config.json", "{}");
  const refuse = (error: Error) =>
    parseJsonFile(file, () => {
      throw error;
    });
  await rejects(
    refuse(new SyntaxError('field "a": no')),
    refusal(file, 'field "a": no'),
  );
  const bug = new TypeError("bug");
  await rejects(refuse(bug), bug);
});

Deno.test("readJson() refuses a file that is larger or deeper than a checkpoint's", async () => {
  using folder = temporaryFolder();
  const large = folder.write("large.json", "{}");
  await Deno.truncate(large, 2 ** 40);
  await rejects(
    readJson(large),
    /large\.json: it has 1099511627776 bytes, more than the limit/,
  );
  for (const depth of [66, 1_000_000]) {
    const text = "[".repeat(depth) + "]".repeat(depth);
    const deep = folder.write("deep.json", text);
    await rejects(readJson(deep), /deep\.json: it has more than 64 levels/);
  }
  const fine = "[".repeat(60) + "]".repeat(60);
  strictEqual(
    JSON.stringify(await readJson(folder.write("fine.json", fine))),
    fine,
  );
});
