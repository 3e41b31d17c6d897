import { deepStrictEqual, throws } from "node:assert/strict";
import { parseArguments } from "../../../deploy/evaluate/arguments.ts";
import { UsageError } from "../../../lib/command_line.ts";

Deno.test("parseArguments() of evaluate has defaults for all but the inputs", () => {
  deepStrictEqual(parseArguments(["data"]), {
    data: "data",
    pictures: undefined,
    questions: undefined,
    model: undefined,
    visionModel: undefined,
    adapter: undefined,
    template: undefined,
    answerTokens: 64,
    limit: Infinity,
    json: false,
    report: undefined,
  });
  const words = "--pictures p --questions q --model m --vision-model v " +
    "--adapter a --template base --answer-tokens 9 --limit 3 --json --report r";
  deepStrictEqual(parseArguments(words.split(" ")), {
    data: undefined,
    pictures: "p",
    questions: "q",
    model: "m",
    visionModel: "v",
    adapter: "a",
    template: "base",
    answerTokens: 9,
    limit: 3,
    json: true,
    report: "r",
  });
});

Deno.test("parseArguments() of evaluate rejects invalid options", () => {
  const cases: [string, RegExp][] = [
    ["", /nothing to measure is named: a prepared set, --pictures or --q/],
    ["a b", /"b" is one folder of data too many/],
    ["--pictures p --adapter a", /--adapter changes no reconstruction/],
    ["a --template chatty", /--template "chatty" is unknown, expected chat/],
    ["a --limit 0", /--limit "0" is not a whole number of 1 or more/],
    ["a --answer-tokens 1.5", /--answer-tokens "1\.5" is not a whole number/],
    ["a --picture p", /unknown option --picture: did you mean --pictures/],
  ];
  for (const [line, reason] of cases) {
    const words = line.split(" ").filter((word) => word !== "");
    throws(() => parseArguments(words), (error: unknown) => {
      deepStrictEqual(error instanceof UsageError, true);
      return reason.test(String(error)) && /Usage: deno/.test(String(error));
    });
  }
});
