import { deepStrictEqual, ok } from "node:assert/strict";
import type { ExpectedHash } from "../../../../deploy/cache/hashing/content_hash.ts";
import type { PartStart } from "../../../../deploy/cache/transfer/fetch_part.ts";
import { PartJournal } from "../../../../deploy/cache/transfer/part_journal.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const job = { file: "etag", size: 100, partBytes: 10 };

/** Returns the parts that a journal at `path` has. */
async function partsIn(
  path: string,
  other: Partial<typeof job> = {},
  forget = false,
): Promise<[number, ExpectedHash][]> {
  using journal = await PartJournal.open(path, { ...job, ...other }, forget);
  return [...journal.parts];
}

/** Returns complete parts alone, in the form that is recorded. */
function of(parts: Map<number, ExpectedHash>) {
  return { parts, starts: new Map<number, PartStart>() };
}

const some = new Map<number, ExpectedHash>([
  [3, { kind: "crc32", hex: "0000000a" }],
  [0, { kind: "sha256", hex: "f".repeat(64) }],
]);

const more: ExpectedHash = { kind: "crc32", hex: "12345678" };

Deno.test("PartJournal restores the recorded parts in the next process", async () => {
  using folder = temporaryFolder();
  const path = folder.write("journal", "");
  {
    using journal = await PartJournal.open(path, job, false);
    await journal.add(of(some));
    await journal.add(of(new Map([[7, more]])));
  }
  const all: [number, ExpectedHash][] = [...some, [7, more]];
  deepStrictEqual(await partsIn(path), all);
  deepStrictEqual(await partsIn(path), all);
});

Deno.test("PartJournal discards the journal of another job, or of a missing file", async () => {
  using folder = temporaryFolder();
  for (
    const [other, forget] of [
      [{ size: 99 }, false],
      [{ partBytes: 11 }, false],
      [{ file: "other" }, false],
      [{}, true],
    ] as const
  ) {
    const path = folder.write("journal", "");
    {
      using journal = await PartJournal.open(path, job, false);
      await journal.add(of(some));
    }
    deepStrictEqual(await partsIn(path, other, forget), []);
    deepStrictEqual(await partsIn(path, other), []);
  }
});

Deno.test("PartJournal truncated anywhere restores recorded parts only", async () => {
  using folder = temporaryFolder();
  const path = folder.write("journal", "");
  {
    using journal = await PartJournal.open(path, job, false);
    await journal.add(of(some));
  }
  const text = await Deno.readTextFile(path);
  for (let length = 0; length < text.length; length++) {
    await Deno.writeTextFile(path, text.slice(0, length));
    const parts = await partsIn(path);
    ok(parts.length < some.size);
    for (const [part, hash] of parts) deepStrictEqual(some.get(part), hash);
    {
      using journal = await PartJournal.open(path, job, false);
      await journal.add(of(new Map([[9, more]])));
    }
    deepStrictEqual(await partsIn(path), [...parts, [9, more]]);
  }
});

Deno.test("PartJournal forgets parts permanently", async () => {
  using folder = temporaryFolder();
  const path = folder.write("journal", "");
  {
    using journal = await PartJournal.open(path, job, false);
    await journal.add(of(some));
    await journal.forget([3]);
  }
  deepStrictEqual(await partsIn(path), [[0, some.get(0)]]);
});

Deno.test("PartJournal keeps the latest start of a part", async () => {
  using folder = temporaryFolder();
  const path = folder.write("journal", "");
  {
    using journal = await PartJournal.open(path, job, false);
    const starts = (...all: [number, PartStart][]) => ({
      parts: new Map<number, ExpectedHash>(),
      starts: new Map(all),
    });
    await journal.add(starts([3, { bytes: 4, crc32: "0000000a" }]));
    await journal.add(starts([5, { bytes: 9 }], [3, { bytes: 2 }]));
    await journal.add(starts([7, { bytes: 1 }]));
    await journal.add(of(new Map([[7, more]])));
  }
  using journal = await PartJournal.open(path, job, false);
  deepStrictEqual([...journal.starts], [[3, { bytes: 2 }], [5, { bytes: 9 }]]);
  deepStrictEqual([...journal.parts], [[7, more]]);
});

Deno.test("PartJournal ignores a line about a part outside of the file", async () => {
  for (
    const line of [
      '{"part":10,"crc32":"0000000a"}',
      '{"part":9999999999,"crc32":"0000000a"}',
      '{"part":1,"bytes":11}',
      '{"part":-1,"bytes":1}',
      '{"part":1}',
    ]
  ) {
    using folder = temporaryFolder();
    const path = folder.write("journal", "");
    {
      using journal = await PartJournal.open(path, job, false);
      await journal.add(of(some));
    }
    await Deno.writeTextFile(path, `${line}\n`, { append: true });
    deepStrictEqual(await partsIn(path), [...some]);
  }
});
