import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { hashOf } from "../../../deploy/prepare/hash_table.ts";
import { openPrepared } from "../../../deploy/prepare/open_prepared.ts";
import type { PreparedOutput } from "../../../deploy/prepare/output/prepared_output.ts";
import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import {
  FORMS,
  openOutput,
  settingsOf,
} from "../../support/prepared_output.ts";
import { anyRecord, manyRecords } from "../../support/prepared_records.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** Adds all records that are not done yet. */
async function addAll(
  output: PreparedOutput,
  records: readonly PreparedRecord[],
): Promise<void> {
  for (const record of records) {
    if (output.isDone(record.key)) continue;
    await output.add({ ...record, name: record.key }, hashOf(record.key));
  }
  await output.finish();
}

async function recordsIn(folder: string): Promise<readonly PreparedRecord[]> {
  await using set = await openPrepared(folder);
  const indices = Array.from({ length: set.length }, (_, i) => i);
  return await Promise.all(indices.map((i) => set.read(i)));
}

for (const form of FORMS) {
  Deno.test(`openPrepared() reads back what PreparedOutput wrote as ${form}`, async () => {
    const any = fc.uniqueArray(anyRecord, {
      selector: ({ key }) => key.toLowerCase(),
      maxLength: 7,
    });
    await fc.assert(
      fc.asyncProperty(any, async (records) => {
        using folder = temporaryFolder();
        {
          await using output = await openOutput(folder.path, form);
          await addAll(output, records);
          strictEqual(output.counts.stored, records.length);
        }
        deepStrictEqual(await recordsIn(folder.path), records);
      }),
      { numRuns: 20 },
    );
  });

  Deno.test(`PreparedOutput resumes as ${form} from a journal truncated anywhere`, async () => {
    const records = manyRecords(5);
    using folder = temporaryFolder();
    {
      await using output = await openOutput(folder.path, form);
      await addAll(output, records);
    }
    const path = join(folder.path, "journal.jsonl");
    const { size } = await Deno.stat(path);
    for (let length = size - 1; length >= 0; length -= 11) {
      await Deno.truncate(path, length);
      {
        await using output = await openOutput(folder.path, form);
        await addAll(output, records);
      }
      deepStrictEqual(await recordsIn(folder.path), records);
    }
  });

  Deno.test(`PreparedOutput lists only complete files as ${form} after every record`, async () => {
    const records = manyRecords(5);
    using folder = temporaryFolder();
    await using output = await openOutput(folder.path, form);
    for (const [i, record] of records.entries()) {
      await output.add({ ...record, name: record.key }, hashOf(record.key));
      const seen = form === "emu3" ? i + 1 : 2 * Math.floor((i + 1) / 2);
      deepStrictEqual(await recordsIn(folder.path), records.slice(0, seen));
    }
  });
}

Deno.test("PreparedOutput records unusable records, and retries them on request", async () => {
  using folder = temporaryFolder();
  const lines = async () =>
    (await Deno.readTextFile(join(folder.path, "errors.jsonl"))).trim()
      .split("\n").filter((line) => line !== "").map((line) =>
        JSON.parse(line)
      );
  const error = { key: "a", place: "data.json, record 1", error: "it is bad" };
  {
    await using output = await openOutput(folder.path, "jsonl");
    await output.fail(error.key, error.place, error.error);
    deepStrictEqual(await lines(), [error]);
  }
  {
    await using output = await openOutput(folder.path, "jsonl");
    strictEqual(output.isDone("a"), true);
    strictEqual(output.firstError, "it is bad");
    deepStrictEqual(output.counts, { stored: 0, failed: 1, duplicates: 0 });
    deepStrictEqual(await lines(), [error]);
  }
  const record = { ...manyRecords(1)[0]!, key: "a" };
  {
    await using output = await openOutput(folder.path, "jsonl", {
      retryErrors: true,
    });
    await addAll(output, [record]);
  }
  await using output = await openOutput(folder.path, "jsonl");
  deepStrictEqual(output.counts, { stored: 1, failed: 0, duplicates: 0 });
  deepStrictEqual(await lines(), []);
  deepStrictEqual(await recordsIn(folder.path), [record]);
});

Deno.test("PreparedOutput reports repeated pictures, and omits them on request", async () => {
  const [a, b, c] = manyRecords(3);
  for (const skipDuplicates of [false, true]) {
    using folder = temporaryFolder();
    for (let run = 0; run < 2; run++) {
      await using output = await openOutput(folder.path, "emu3", {
        skipDuplicates,
      });
      const pictures = ["0123456789abcdef", "f".repeat(16)];
      const shown = [[a, 1], [b, 0], [c, 1]] as const;
      for (const [record, picture] of shown) {
        if (output.isDone(record!.key)) continue;
        const named = { ...record!, name: "x" };
        await output.add(named, pictures[picture]!);
      }
      await output.finish();
      strictEqual(output.counts.duplicates, 1);
      const text = await Deno.readTextFile(
        join(folder.path, "duplicates.jsonl"),
      );
      strictEqual(text, `{"key":"${c!.key}","same_as":0}\n`);
    }
    const kept = skipDuplicates ? [a, b] : [a, b, c];
    deepStrictEqual(await recordsIn(folder.path), kept);
  }
});

Deno.test("PreparedOutput rejects other settings, a second process and damage", async () => {
  using folder = temporaryFolder();
  {
    await using _ = await openOutput(folder.path, "jsonl");
    await rejects(
      openOutput(folder.path, "jsonl"),
      /another process is writing/,
    );
  }
  const other = settingsOf("jsonl", { resize: "smart" });
  await rejects(
    openOutput(folder.path, "jsonl", { settings: other }),
    /created with resize "released", not "smart"/,
  );
  await rejects(openOutput(folder.path, "emu3"), /created with form "jsonl"/);
  folder.write("journal.jsonl", '{"key":\n{"key":"a"}\n');
  await rejects(openOutput(folder.path, "jsonl"), /damaged at byte 0/);
});

Deno.test("PreparedOutput removes files that a kill left unfinished", async () => {
  using folder = temporaryFolder();
  const left = ["x.incomplete", "feature/a.pth.1.incomplete"];
  for (const name of left) folder.write(name, "");
  await using _ = await openOutput(folder.path, "emu3");
  for (const name of left) {
    await rejects(Deno.stat(join(folder.path, name)), Deno.errors.NotFound);
  }
});
