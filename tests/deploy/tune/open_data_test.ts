import { deepStrictEqual, rejects } from "node:assert/strict";
import { openData } from "../../../deploy/tune/open_data.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** Writes a set of records in JSONL; returns its folder. */
function writeSet(
  folder: ReturnType<typeof temporaryFolder>,
  name: string,
  keys: readonly string[],
): string {
  const lines = keys.map((key) =>
    JSON.stringify({ key, text: key, height: 1, width: 1, codes: [[0]] })
  );
  folder.write(`${name}/data-00000.jsonl`, `${lines.join("\n")}\n`);
  const records = keys.length;
  const shards = [{ file: "data-00000.jsonl", records }];
  folder.write(
    `${name}/manifest.json`,
    JSON.stringify({ version: 1, form: "jsonl", records, shards }),
  );
  return `${folder.path}/${name}`;
}

Deno.test("openData() joins a set and one to replay, whose records are marked", async () => {
  using temporary = temporaryFolder();
  const data = writeSet(temporary, "data", ["a", "b"]);
  const own = writeSet(temporary, "own", ["c"]);
  await using set = await openData(data, own);
  const records = [];
  for (let i = 0; i < set.length; i++) records.push(await set.read(i));
  deepStrictEqual(
    records.map(({ key, replayed }) => [key, replayed]),
    [["a", undefined], ["b", undefined], ["c", true]],
  );
});

Deno.test("openData() names the set to replay if it does not exist", async () => {
  using temporary = temporaryFolder();
  const data = writeSet(temporary, "data", ["a"]);
  await rejects(
    openData(data, `${temporary.path}/own`),
    /own: it does not exist; make it with task prepare-data/,
  );
});
