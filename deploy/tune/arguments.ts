/**
 * The command line of `deno task tune`.
 *
 * @module
 */

import { parseCommandLine, UsageError } from "../../lib/command_line.ts";
import {
  defaultSettings,
  matrixNamed,
  type TuningMethodName,
  type TuningSettings,
} from "../../lib/tuning/settings.ts";
import type { TuningMethod } from "../../lib/tuning/method.ts";

/** The arguments of the command. */
export interface TuneArguments {
  /** Folder of the prepared set; undefined for a plan alone. */
  readonly data: string | undefined;
  /** Folder of a set that the model drew and answered itself, if there is one. */
  readonly replay: string | undefined;
  /**
   * Checkpoint: a folder, or any source that the server accepts; undefined for
   * the embedded model.
   */
  readonly model: string | undefined;
  /** Folder or source of the vision tokenizer of samples, if not beside it. */
  readonly visionModel: string | undefined;
  /** Folder of the result. */
  readonly out: string | undefined;
  /** Folder of the adapter to start at; undefined for a new one. */
  readonly adapter: string | undefined;
  /** True if the memory is planned and nothing else is done. */
  readonly plan: boolean;
  /** Settings that change the result; tokens are the model's by default. */
  readonly settings: Omit<TuningSettings, "maxTokens" | "heldOut">;
  /** The most tokens of a sequence; undefined for the model's. */
  readonly maxTokens: number | undefined;
  /** Records that are held out: a number, or a share below 1. */
  readonly heldOut: number;
  /** Steps between checkpoints. */
  readonly saveEvery: number;
  /** Checkpoints to keep. */
  readonly keep: number;
  /** Steps between losses of what is held out. */
  readonly evaluateEvery: number;
  /** Prompts of sample pictures. */
  readonly samples: readonly string[];
  /** Steps between sample pictures. */
  readonly sampleEvery: number;
  /**
   * Records of a step that are computed side by side; undefined for as many as
   * the threads and the memory allow.
   */
  readonly parallel: number | undefined;
  /** Template of questions; undefined for the model's. */
  readonly template: "chat" | "base" | undefined;
}

/** Usage text of the command. */
export const USAGE = `Usage: deno task tune <data> --out <folder> [options]

Tunes a language model on prepared pictures and questions: an adapter (LoRA) by
default, or all weights. Run it again after an interruption: it goes on from its
last checkpoint.

  <data>                    folder that deno task prepare-data wrote
  --model <checkpoint>      folder or source, as for a server (the embedded model)
  --replay <folder>         prepared set of what the model drew and answered
                            itself: its probabilities there stay as they are
  --out <folder>            folder of the adapter or of the tuned checkpoint
  --plan                    print the memory that it takes, and stop

  --method lora|full        adapter or all weights (lora)
  --adapter <folder>        adapter to start at, of the same rank and targets
  --rank <r>                rank of the adapter (16)
  --alpha <a>               weight of the adapter (2 · rank)
  --rslora                  divide alpha by the root of the rank
  --targets <names>         adapted matrices: q_proj,k_proj,v_proj,o_proj,
                            gate_proj,up_proj,down_proj (all)
  --layers <numbers>        adapted layers, such as 4-7 or 0,2,5 (all): a step
                            takes less time without the first ones
  --head                    train the head too: for words that it never wrote

  --learning-rate <x>       greatest rate (lora 2e-4, full 1e-5)
  --min-learning-rate <x>   rate of the last step (a tenth)
  --warmup <n>              steps of the warm-up (30)
  --weight-decay <x>        decay of matrices (lora 0, full 0.1)
  --max-grad-norm <x>       norm that gradients are clipped to (5)
  --batch <n>               records a step (8)
  --epochs <n>              passes over the data (4)
  --steps <n>               steps, in place of epochs
  --null-prompt <p>         probability that a caption is left out (0.05)
  --max-tokens <n>          most tokens of a record (the model's context)
  --template chat|base      template of questions (the model's)
  --seed <n>                seed of start and order (0)
  --parallel <n>            records of a step that are computed side by side, on
                            a thread each (as many as threads, if they fit into
                            the memory and a step has as many records)

  --held-out <n>            records, or share below 1, to measure on (0)
  --evaluate-every <n>      steps between measurements (100)
  --save-every <n>          steps between checkpoints (500)
  --keep <n>                checkpoints to keep (10)
  --sample <prompt>         prompt of a sample picture; may be repeated
  --sample-every <n>        steps between sample pictures (100)
  --vision-model <source>   vision tokenizer of samples, if not beside the model`;

const OPTIONS = {
  model: { type: "string" },
  replay: { type: "string" },
  out: { type: "string" },
  plan: { type: "boolean" },
  method: { type: "string" },
  adapter: { type: "string" },
  rank: { type: "string" },
  alpha: { type: "string" },
  rslora: { type: "boolean" },
  targets: { type: "string" },
  layers: { type: "string" },
  head: { type: "boolean" },
  "learning-rate": { type: "string" },
  "min-learning-rate": { type: "string" },
  warmup: { type: "string" },
  "weight-decay": { type: "string" },
  "max-grad-norm": { type: "string" },
  batch: { type: "string" },
  epochs: { type: "string" },
  steps: { type: "string" },
  "null-prompt": { type: "string" },
  "max-tokens": { type: "string" },
  template: { type: "string" },
  seed: { type: "string" },
  parallel: { type: "string" },
  "held-out": { type: "string" },
  "evaluate-every": { type: "string" },
  "save-every": { type: "string" },
  keep: { type: "string" },
  sample: { type: "string", multiple: true },
  "sample-every": { type: "string" },
  "vision-model": { type: "string" },
} as const;

/** Values of the command line by option. */
type Values = ReturnType<typeof parseCommandLine<typeof OPTIONS>>["values"];

/**
 * Parses a command line.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseArguments(words: readonly string[]): TuneArguments {
  try {
    return parse(words);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError("tune", cause.message, USAGE, { cause });
  }
}

function parse(words: readonly string[]): TuneArguments {
  const { values, positionals } = parseCommandLine(words, OPTIONS);
  const [data, ...others] = positionals;
  const plan = values.plan === true;
  if (others.length > 0) {
    throw new SyntaxError(`"${others[0]}" is one folder of data too many`);
  }
  if (!plan && data === undefined) {
    throw new SyntaxError("no folder of prepared data is named");
  }
  if (!plan && !values.out) throw new SyntaxError("--out is missing");
  return {
    data,
    replay: values.replay,
    model: values.model,
    visionModel: values["vision-model"],
    out: values.out,
    adapter: values.adapter,
    plan,
    settings: settingsFrom(values),
    maxTokens: number(values, "max-tokens", WHOLE),
    parallel: number(values, "parallel", WHOLE),
    heldOut: number(values, "held-out", { least: 0 }) ?? 0,
    saveEvery: number(values, "save-every", WHOLE) ?? 500,
    keep: number(values, "keep", WHOLE) ?? 10,
    evaluateEvery: number(values, "evaluate-every", WHOLE) ?? 100,
    samples: values.sample ?? [],
    sampleEvery: number(values, "sample-every", WHOLE) ?? 100,
    template: choice(values.template, "template", ["chat", "base"]),
  };
}

function settingsFrom(values: Values): TuneArguments["settings"] {
  const name = choice(values.method, "method", ["lora", "full"]) ?? "lora";
  const defaults = defaultSettings(name);
  const learningRate = number(values, "learning-rate", { least: 0 }) ??
    defaults.learningRate;
  return {
    ...defaults,
    method: methodFrom(values, name),
    learningRate,
    minLearningRate: number(values, "min-learning-rate", { least: 0 }) ??
      learningRate * defaults.minLearningRate / defaults.learningRate,
    warmupSteps: number(values, "warmup", { least: 0, whole: true }) ??
      defaults.warmupSteps,
    weightDecay: number(values, "weight-decay", { least: 0 }) ??
      defaults.weightDecay,
    maxGradientNorm: number(values, "max-grad-norm", { least: 1e-9 }) ??
      defaults.maxGradientNorm,
    batch: number(values, "batch", WHOLE) ?? defaults.batch,
    epochs: number(values, "epochs", { least: 1e-9 }) ?? defaults.epochs,
    steps: number(values, "steps", WHOLE),
    nullPrompt: number(values, "null-prompt", { least: 0, most: 1 }) ??
      defaults.nullPrompt,
    seed: number(values, "seed", { least: 0, whole: true }) ?? defaults.seed,
  };
}

function methodFrom(values: Values, name: TuningMethodName): TuningMethod {
  const { method } = defaultSettings(name);
  const adapting = [
    "replay",
    "adapter",
    "rank",
    "alpha",
    "rslora",
    "targets",
    "layers",
    "head",
  ] as const;
  if (method.kind === "full") {
    const given = adapting.find((option) => values[option] !== undefined);
    if (given === undefined) return method;
    throw new SyntaxError(`--${given} needs --method lora`);
  }
  const rank = number(values, "rank", WHOLE) ?? method.rank;
  const targets = values.targets?.split(",").map((part) => {
    const matrix = matrixNamed(part.trim());
    if (matrix !== undefined) return matrix;
    throw new SyntaxError(
      `--targets "${part}" is no matrix: use q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj`,
    );
  });
  return {
    ...method,
    rank,
    alpha: number(values, "alpha", { least: 1e-9 }) ?? 2 * rank,
    stabilized: values.rslora === true,
    head: values.head === true,
    targets: method.targets.filter((matrix) =>
      targets === undefined || targets.includes(matrix)
    ),
    layers: values.layers === undefined ? undefined : layersOf(values.layers),
  };
}

/** Returns the numbers of a list such as `0,2,5-7`, ascending. */
function layersOf(text: string): number[] {
  const numbers = text.split(",").flatMap((part) => {
    const [, start, end = start] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    const [first, last] = [Number(start), Number(end)];
    if (!(last >= first && last < MOST_LAYERS)) {
      throw new SyntaxError(
        `--layers "${part}" is no layer: use numbers and ranges from 0, such as 0,2,5-7`,
      );
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Bounds of a number. */
interface Bounds {
  readonly least: number;
  readonly most?: number;
  readonly whole?: boolean;
}

/** More layers than any model has. */
const MOST_LAYERS = 10_000;

const WHOLE: Bounds = { least: 1, whole: true };

/** Returns the number of an option; undefined if it is not given. */
function number(
  values: Values,
  name: keyof Values,
  { least, most = Number.MAX_SAFE_INTEGER, whole = false }: Bounds,
): number | undefined {
  const text = values[name];
  if (typeof text !== "string") return undefined;
  const value = Number(text);
  const fits = text.trim() !== "" && value >= least && value <= most &&
    (!whole || Number.isSafeInteger(value));
  if (fits) return value;
  const kind = whole ? "a whole number" : "a number";
  const limit = most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`;
  throw new SyntaxError(
    `--${name} "${text}" is not ${kind} from ${least}${limit}`,
  );
}

function choice<const T extends string>(
  text: string | undefined,
  name: string,
  choices: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new SyntaxError(
    `--${name} "${text}" is unknown, expected ${choices.join(" or ")}`,
  );
}
