/**
 * The law of preparation: a run that is killed at any moment, any number of
 * times, makes the set of a run that is not. `KILLS` is their number for each
 * form.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  contentOf,
  finish,
  runKilled,
  writeInput,
} from "../support/killed_preparation.ts";
import { FORMS } from "../support/prepared_output.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const KILLS = Number(Deno.env.get("KILLS") ?? 5);
const RECORDS = 120;

for (const form of FORMS) {
  Deno.test(`prepare-data as ${form} loses and repeats nothing over ${KILLS} kills`, async () => {
    using folder = temporaryFolder();
    writeInput(folder, RECORDS);
    const { code, err } = await finish(folder.path, "whole", form);
    strictEqual(code, 0, err);
    const { size } = await Deno.stat(`${folder.path}/whole/journal.jsonl`);
    const most = size / KILLS;
    const ended = await runKilled(folder.path, "killed", {
      form,
      kills: KILLS,
      most,
    });
    ok(ended < KILLS);
    strictEqual((await finish(folder.path, "killed", form)).code, 0);
    const whole = await contentOf(folder.path, "whole");
    strictEqual(whole.records.length, RECORDS - RECORDS / 10);
    deepStrictEqual(await contentOf(folder.path, "killed"), whole);
  });
}
