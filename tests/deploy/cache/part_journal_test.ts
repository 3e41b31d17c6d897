import { deepStrictEqual, ok } from "node:assert/strict";
import type { ExpectedHash } from "../../../deploy/cache/content_hash.ts";
import { PartJournal } from "../../../deploy/cache/part_journal.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const job = { file: "etag", size: 100, partBytes: 10 };

/** The parts that a journal at `path` has. */
async function partsIn(
  path: string,
  other: Partial<typeof job> = {},
  forget = false,
): Promise<[number, ExpectedHash][]> {
  using journal = await PartJournal.open(path, { ...job, ...other }, forget);
  return [...journal.parts];
}

const some = new Map<number, ExpectedHash>([
  [3, { kind: "crc32", hex: "0000000a" }],
  [0, { kind: "sha256", hex: "f".repeat(64) }],
]);

const more: ExpectedHash = { kind: "crc32", hex: "12345678" };

Deno.test("a journal tells the next process which parts are here", async () => {
  using folder = temporaryFolder();
  const path = folder.write("journal", "");
  {
    using journal = await PartJournal.open(path, job, false);
    await journal.add(some);
    await journal.add(new Map([[7, more]]));
  }
  const all: [number, ExpectedHash][] = [...some, [7, more]];
  deepStrictEqual(await partsIn(path), all);
  deepStrictEqual(await partsIn(path), all);
});

Deno.test("a journal of another job, or of a file that is gone, is begun anew", async () => {
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
      await journal.add(some);
    }
    deepStrictEqual(await partsIn(path, other, forget), []);
    deepStrictEqual(await partsIn(path, other), []);
  }
});

Deno.test("a journal that is torn anywhere tells nothing that was not noted", async () => {
  using folder = temporaryFolder();
  const path = folder.write("journal", "");
  {
    using journal = await PartJournal.open(path, job, false);
    await journal.add(some);
  }
  const text = await Deno.readTextFile(path);
  for (let length = 0; length < text.length; length++) {
    await Deno.writeTextFile(path, text.slice(0, length));
    const parts = await partsIn(path);
    ok(parts.length < some.size);
    for (const [part, hash] of parts) deepStrictEqual(some.get(part), hash);
    {
      using journal = await PartJournal.open(path, job, false);
      await journal.add(new Map([[9, more]]));
    }
    deepStrictEqual(await partsIn(path), [...parts, [9, more]]);
  }
});

Deno.test("a journal forgets for good", async () => {
  using folder = temporaryFolder();
  const path = folder.write("journal", "");
  {
    using journal = await PartJournal.open(path, job, false);
    await journal.add(some);
    await journal.forget([3]);
  }
  deepStrictEqual(await partsIn(path), [[0, some.get(0)]]);
});
