import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  contentOf,
  finish,
  runKilled,
  writeInput,
} from "../../support/killed_preparation.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("prepare-data resumes after a kill, without loss or repetition", async () => {
  using folder = temporaryFolder();
  writeInput(folder, 30);
  const form = "webdataset";
  await finish(folder.path, "whole", form);
  await runKilled(folder.path, "killed", { form, kills: 2, most: 500 });
  strictEqual((await finish(folder.path, "killed", form)).code, 0);
  deepStrictEqual(
    await contentOf(folder.path, "killed"),
    await contentOf(folder.path, "whole"),
  );
});
