import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  contentOf,
  finish,
  writeInput,
} from "../../support/killed_preparation.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("prepare-data reports a full disk with advice, and resumes later", async () => {
  for (const form of ["emu3", "jsonl"] as const) {
    using folder = temporaryFolder();
    writeInput(folder, 60);
    await finish(folder.path, "whole", form);
    const limit = { fileKilobytes: 1 };
    const { code, err } = await finish(folder.path, "full", form, limit);
    strictEqual(code, 1, err);
    match(err, /Cannot write \S+: /);
    match(err, /or name another --out; run it again to go on/);
    strictEqual((await finish(folder.path, "full", form)).code, 0);
    deepStrictEqual(
      await contentOf(folder.path, "full"),
      await contentOf(folder.path, "whole"),
    );
  }
});
