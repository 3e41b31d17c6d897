import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Journal } from "../../../lib/quantization/journal.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("Journal returns the progress recorded for the same job", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/journal`;
  {
    using journal = await Journal.open(path, "a job");
    await journal!.addChunks([0, 2]);
    await journal!.addHash(1, "abc");
    await journal!.addChunks([1]);
  }
  using again = await Journal.open(path, "a job");
  deepStrictEqual(again!.done, {
    chunks: new Set([0, 2, 1]),
    hashes: new Map([[1, "abc"]]),
  });
});

Deno.test("Journal starts over for another job", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/journal`;
  {
    using journal = await Journal.open(path, "a job");
    await journal!.addChunks([0]);
  }
  {
    using other = await Journal.open(path, "another job");
    strictEqual(other!.done.chunks.size, 0);
  }
  using first = await Journal.open(path, "a job");
  strictEqual(first!.done.chunks.size, 0);
});

Deno.test("Journal drops a torn line and continues after the last whole one", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/journal`;
  {
    using journal = await Journal.open(path, "a job");
    await journal!.addChunks([0]);
  }
  await Deno.writeTextFile(path, '{"bands":[1,', { append: true });
  {
    using journal = await Journal.open(path, "a job");
    deepStrictEqual([...journal!.done.chunks], [0]);
    await journal!.addChunks([2]);
  }
  using journal = await Journal.open(path, "a job");
  deepStrictEqual([...journal!.done.chunks], [0, 2]);
});

Deno.test("Journal.open() returns undefined while another holds it", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/journal`;
  using journal = await Journal.open(path, "a job");
  ok(journal);
  strictEqual(await Journal.open(path, "a job"), undefined);
});
