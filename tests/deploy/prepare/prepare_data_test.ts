import {
  deepStrictEqual,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import fc from "fast-check";
import { openPrepared } from "../../../deploy/prepare/open_prepared.ts";
import {
  type PreparationOptions,
  prepareData,
} from "../../../deploy/prepare/prepare_data.ts";
import {
  RecordError,
  type RecordSource,
  type SourceRecord,
} from "../../../deploy/prepare/readers/source.ts";
import {
  isOfPart,
  safeKey,
  SafeKeys,
} from "../../../deploy/prepare/safe_keys.ts";
import { ImageError } from "../../../lib/errors.ts";
import { openOutput } from "../../support/prepared_output.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** Returns an input of records with pictures of one byte. */
function sourceOf(
  names: readonly string[],
  changes: (name: string, i: number) => Partial<SourceRecord> = () => ({}),
): RecordSource {
  return {
    format: "test",
    share: () => 1,
    async *records() {
      for (const [i, name] of names.entries()) {
        yield {
          ...{ name, place: `record ${i}`, text: `text of ${name}` },
          ...{ question: undefined, answer: undefined },
          picture: () => Promise.resolve(Uint8Array.of(i)),
          ...changes(name, i),
        };
      }
    },
  };
}

/** Encodes the first byte as the only code, after turns of the event loop. */
function encoderOf(turns: (code: number) => number = () => 0) {
  return {
    tokenizer: { name: "test", factor: 8, minPixels: 1, maxPixels: 9 },
    ...{ imageArea: 9, capacity: 4 },
    encode: async (bytes: Uint8Array) => {
      const code = bytes[0]!;
      for (let i = turns(code); i > 0; i--) {
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      return { height: 1, width: 1, codes: Uint16Array.of(code) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Prepares an input into `folder`, and returns the records of its set. */
async function prepared(
  folder: string,
  options: Partial<PreparationOptions> & Pick<PreparationOptions, "source">,
) {
  await using output = await openOutput(folder, "jsonl");
  const { signal } = new AbortController();
  const progress = await prepareData({
    ...{ encoder: encoderOf(), captioner: undefined, output, part: undefined },
    ...{ maxErrors: Infinity, onProgress: () => {}, signal },
    ...options,
  });
  await using set = await openPrepared(folder);
  const indices = Array.from({ length: set.length }, (_, i) => i);
  const records = await Promise.all(indices.map((i) => set.read(i)));
  return { records, progress, counts: output.counts };
}

Deno.test("prepareData() keeps the order of the input, however long each record takes", async () => {
  const any = fc.array(fc.nat(5), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(any, async (turns) => {
      using folder = temporaryFolder();
      const names = turns.map((_, i) => `n${i}`);
      const encoder = encoderOf((code) => turns[code]!);
      const source = sourceOf(names);
      const { records } = await prepared(folder.path, { source, encoder });
      deepStrictEqual(records.map(({ key }) => key), names);
      deepStrictEqual(
        records.map(({ codes }) => codes[0]),
        turns.map((_, i) => i),
      );
    }),
    { numRuns: 20 },
  );
});

Deno.test("prepareData() splits an input into parts by key", async () => {
  const names = Array.from({ length: 40 }, (_, i) => `n${i % 30}`);
  const keys: string[] = [];
  for (let index = 0; index < 3; index++) {
    using folder = temporaryFolder();
    const part = { index, count: 3 };
    const source = sourceOf(names);
    const { records } = await prepared(folder.path, { source, part });
    notStrictEqual(records.length, 0);
    keys.push(...records.map(({ key }) => key));
  }
  const all = new SafeKeys();
  const expected = names.map((name) => all.next(name).key);
  deepStrictEqual(keys.sort(), expected.sort());
});

Deno.test("prepareData() records unusable records, and continues", async () => {
  using folder = temporaryFolder();
  const faults = [
    new RecordError("it is missing"),
    new ImageError("it is damaged"),
  ];
  const source = sourceOf(
    ["a", "b", "c", "d", "e"],
    (_, i) =>
      i < 2
        ? { picture: () => Promise.reject(faults[i]) }
        : i === 3
        ? { question: "what?" }
        : {},
  );
  const { records, counts } = await prepared(folder.path, { source });
  deepStrictEqual(records.map(({ key }) => key), ["c", "e"]);
  deepStrictEqual(counts, { stored: 2, failed: 3, duplicates: 0 });
  const errors = await Deno.readTextFile(`${folder.path}/errors.jsonl`);
  deepStrictEqual(
    errors.trim().split("\n").map((line) => JSON.parse(line)),
    [
      { key: "a", place: "record 0", error: "it is missing" },
      {
        key: "b",
        place: "record 1",
        error: "Cannot read image: it is damaged",
      },
      { key: "d", place: "record 3", error: "it has no answer" },
    ],
  );
});

Deno.test("prepareData() fails with too many unusable records, or without any usable one", async () => {
  const picture = () => Promise.reject(new RecordError("it is bad"));
  const source = sourceOf(["a", "b", "c"], () => ({ picture }));
  for (
    const [maxErrors, message] of [
      [
        1,
        /2 records cannot be used, over --max-errors 1; .*record 1: it is bad/,
      ],
      [3, /none of 3 records can be used, .*it is bad/],
    ] as const
  ) {
    using folder = temporaryFolder();
    await rejects(prepared(folder.path, { source, maxErrors }), {
      name: "PreparationError",
      message,
    });
  }
});

Deno.test("prepareData() rethrows failures that concern more than one record", async () => {
  using folder = temporaryFolder();
  const encoder = {
    ...encoderOf(),
    encode: (bytes: Uint8Array) =>
      bytes[0] === 2
        ? Promise.reject(new TypeError("broken"))
        : encoderOf().encode(bytes),
  };
  const names = ["a", "b", "c", "d"];
  const source = sourceOf(names);
  await rejects(prepared(folder.path, { source, encoder }), /broken/);
  const { records } = await prepared(folder.path, { source });
  deepStrictEqual(records.map(({ key }) => key), names);
});

Deno.test("prepareData() stops on abort, and resumes later", async () => {
  using folder = temporaryFolder();
  const stop = new AbortController();
  const names = Array.from({ length: 12 }, (_, i) => `n${i}`);
  const source = sourceOf(names);
  await rejects(
    prepared(folder.path, {
      source,
      signal: stop.signal,
      onProgress: ({ done }) => {
        if (done === 3) stop.abort();
      },
    }),
    { name: "AbortError" },
  );
  const { records, progress } = await prepared(folder.path, { source });
  deepStrictEqual(records.map(({ key }) => key), names);
  strictEqual(progress.done, 9);
});

Deno.test("prepareData() requests captions for records without text", async () => {
  using folder = temporaryFolder();
  const texts = [undefined, "given", ""];
  const source = sourceOf(
    ["a", "b", "c", "d"],
    (_, i) => i < 3 ? { text: texts[i] } : { question: "q", answer: "a" },
  );
  const captioner = (bytes: Uint8Array) => Promise.resolve(`seen ${bytes[0]}`);
  const { records } = await prepared(folder.path, { source, captioner });
  deepStrictEqual(
    records.map(({ text }) => text),
    ["seen 0", "given", "seen 2", "text of d"],
  );
  strictEqual(records[3]!.answer, "a");
  using other = temporaryFolder();
  const { progress } = await prepared(other.path, { source });
  strictEqual(progress.untitled, 2);
});

Deno.test("SafeKeys returns unique keys that are valid file names on every system", () => {
  const names = fc.array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "a",
        "A",
        "a/b",
        "../a",
        "a~2",
        "con",
        "",
        "x".repeat(999),
      ),
    ),
  );
  fc.assert(fc.property(names, (names) => {
    const keys = new SafeKeys();
    const given = names.map((name) => keys.next(name).key);
    const folded = given.map((key) => key.normalize("NFC").toLowerCase());
    strictEqual(new Set(folded).size, names.length);
    for (const key of given) {
      ok(/^[\p{L}\p{M}\p{N}_~-]+$/u.test(key), key);
      ok(new TextEncoder().encode(key).length < 220);
    }
  }));
  deepStrictEqual(
    ["größe 1.jpg", "../../etc", "NUL", "a.b"].map(safeKey),
    ["größe_1_jpg", "_etc", "_NUL", "a_b"],
  );
});

Deno.test("isOfPart() assigns each key to one part", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 9 }), (name, count) => {
      const { hash } = new SafeKeys().next(name);
      const indices = Array.from({ length: count }, (_, i) => i);
      const parts = indices.filter((index) => isOfPart(hash, index, count));
      strictEqual(parts.length, 1);
    }),
  );
});
