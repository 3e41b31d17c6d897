import {
  deepStrictEqual,
  match,
  strictEqual,
  throws,
} from "node:assert/strict";
import { parseArguments } from "../../../deploy/tune/arguments.ts";

const REQUIRED = ["data", "--model", "m", "--out", "o"];

Deno.test("parseArguments() returns the released settings for full tuning", () => {
  const { settings } = parseArguments([...REQUIRED, "--method", "full"]);
  const { learningRate, minLearningRate, warmupSteps, weightDecay } = settings;
  deepStrictEqual(
    [learningRate, minLearningRate, warmupSteps, weightDecay],
    [1e-5, 1e-6, 30, 0.1],
  );
  const { beta1, beta2, epsilon, maxGradientNorm, batch, epochs } = settings;
  deepStrictEqual(
    [beta1, beta2, epsilon, maxGradientNorm, batch, epochs],
    [0.9, 0.95, 1e-6, 5, 8, 4],
  );
  strictEqual(settings.nullPrompt, 0.05);
});

Deno.test("parseArguments() configures an adapter by default", () => {
  const { settings } = parseArguments([
    ...REQUIRED,
    "--rank",
    "8",
    "--targets",
    "v_proj,q_proj",
    "--rslora",
    "--layers",
    "5-7, 0,6",
  ]);
  deepStrictEqual(settings.method, {
    kind: "lora",
    rank: 8,
    alpha: 16,
    stabilized: true,
    targets: ["self_attn.q_proj", "self_attn.v_proj"],
    layers: [0, 5, 6, 7],
    head: false,
  });
});

Deno.test("parseArguments() rejects unknown and invalid options", () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["--out", "o", "--model", "m"], /no folder of prepared data is named/],
    [["data", "--model", "m"], /--out is missing/],
    [["a", ...REQUIRED], /"data" is one folder of data too many/],
    [[...REQUIRED, "--rnak", "4"], /unknown option --rnak.*--rank/],
    [[...REQUIRED, "--rank", "0"], /--rank "0" is not a whole number from 1/],
    [[...REQUIRED, "--rank", "1.5"], /--rank "1.5" is not a whole number/],
    [[...REQUIRED, "--parallel", "0"], /--parallel "0" is not a whole number/],
    [[...REQUIRED, "--batch", ""], /--batch "" is not a whole number/],
    [
      [...REQUIRED, "--null-prompt", "2"],
      /--null-prompt "2" is not a number from 0 to 1/,
    ],
    [[...REQUIRED, "--method", "dora"], /"dora" is unknown, expected lora or/],
    [
      [...REQUIRED, "--method", "full", "--rank", "4"],
      /--rank needs --method lora/,
    ],
    [
      [...REQUIRED, "--method", "full", "--replay", "own"],
      /--replay needs --method lora/,
    ],
    [[...REQUIRED, "--targets", "qkv"], /--targets "qkv" is no matrix/],
    ...["", "4-", "7-5", "-1", "x", "0-99999999999"].map((layers) =>
      [
        [...REQUIRED, `--layers=${layers}`],
        new RegExp(`--layers "${layers}" is no layer: use numbers and ranges`),
      ] as const
    ),
    [[...REQUIRED, "--template", "x"], /expected chat or base/],
  ];
  for (const [words, message] of cases) {
    throws(() => parseArguments(words), (error: Error) => {
      match(error.message, message);
      match(error.message, /Usage: deno task tune/);
      return true;
    });
  }
});
