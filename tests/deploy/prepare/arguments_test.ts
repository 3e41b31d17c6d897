import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { UsageError } from "../../../lib/command_line.ts";
import { parseArguments } from "../../../deploy/prepare/arguments.ts";

Deno.test("parseArguments() completes a short command line", () => {
  const parsed = parseArguments(["photos", "-o", "data"]);
  deepStrictEqual(
    [parsed.input, parsed.out, parsed.form, parsed.format, parsed.resize],
    ["photos", "data", "emu3", undefined, "released"],
  );
  deepStrictEqual(
    [parsed.maxErrors, parsed.shardSize, parsed.part, parsed.endpoints],
    [Infinity, 1000, undefined, []],
  );
});

Deno.test("parseArguments() reads every option", () => {
  const words = "in --out data --to parquet --format csv --resize smart " +
    "--image-area 4096 --model m --vision-model v --endpoints http://a,http://b, " +
    "--caption-with http://c --caption-question what? --shard 3/4 " +
    "--shard-size 10 --max-errors 0 --retry-errors --skip-duplicates " +
    "--threads 2 --image-column i --text-column t --name-column n " +
    "--question-column q --answer-column a";
  deepStrictEqual(parseArguments(words.split(" ")), {
    ...{ input: "in", out: "data", form: "parquet", format: "csv" },
    columns: { image: "i", text: "t", name: "n", question: "q", answer: "a" },
    ...{ resize: "smart", imageArea: 4096, model: "m", visionModel: "v" },
    ...{ endpoints: ["http://a", "http://b"], captionWith: ["http://c"] },
    ...{ captionQuestion: "what?", part: { index: 3, count: 4 } },
    ...{ shardSize: 10, maxErrors: 0, retryErrors: true },
    ...{ skipDuplicates: true, threads: 2 },
  });
});

Deno.test("parseArguments() reports the fault of a command line", () => {
  const faults: [string, string][] = [
    ["--out x", "the input is missing"],
    ["a b --out x", '"b" is one input too many'],
    ["a", "--out is missing"],
    ["a --out x --to csv", '--to "csv" is unknown, expected emu3, jsonl'],
    ["a --out x --format xml", '--format "xml" is unknown, expected folder'],
    ["a --out x --resize big", '--resize "big" is unknown'],
    ["a --out x --shard 4/4", '--shard "4/4" is not such as 0/4'],
    ["a --out x --shard 1", '--shard "1" is not such as'],
    [
      "a --out x --threads 0",
      '--threads "0" is not a whole number of 1 or more',
    ],
    ["a --out x --max-errors -1", "max-errors"],
    [
      "a --out x --imagecolumn y",
      "unknown option --imagecolumn: did you mean --image-column",
    ],
  ];
  for (const [words, reason] of faults) {
    throws(() => parseArguments(words.split(" ")), (error) => {
      ok(error instanceof UsageError, `${error}`);
      ok(error.message.includes(reason), error.message);
      strictEqual(
        error.message.includes("Usage: deno task prepare-data"),
        true,
      );
      return true;
    });
  }
});
