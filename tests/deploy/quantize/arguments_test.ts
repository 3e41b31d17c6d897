import { deepStrictEqual, ok, throws } from "node:assert/strict";
import { parseArguments } from "../../../deploy/quantize/arguments.ts";
import { UsageError } from "../../../lib/command_line.ts";

Deno.test("parseArguments() accepts the checkpoint and its options in any order", () => {
  const expected = {
    source: "a",
    precision: "int4",
    target: "b",
    kvScales: false,
  };
  for (
    const line of [
      "a --precision int4 --out b",
      "--out=b --precision=int4 a",
      "--precision int4 a --out b",
    ]
  ) {
    deepStrictEqual(parseArguments(line.split(" ")), expected, line);
  }
  const line = "a --precision int4 --out b --kv-scales";
  ok(parseArguments(line.split(" ")).kvScales);
});

const bad: Record<string, RegExp> = {
  "": /the checkpoint is missing/,
  "a --out b": /--precision is missing, expected int8 or int4/,
  "a --precision int3 --out b": /--precision is "int3", expected int8 or int4/,
  "a --precision int4": /--out is missing/,
  "a --precision int4 --out=": /--out is missing/,
  "a c --precision int4 --out b": /"c" is unexpected: one checkpoint at a time/,
  "a --precision int4 --out b --fast": /--fast/,
};

for (const [line, message] of Object.entries(bad)) {
  Deno.test(`parseArguments() reports the fault of "${line}", with the usage`, () => {
    const words = line.split(" ").filter((word) => word !== "");
    throws(() => parseArguments(words), (error) => {
      ok(error instanceof UsageError);
      ok(message.test(error.message), error.message);
      ok(error.message.includes("Usage: deno task quantize"));
      return true;
    });
  });
}
