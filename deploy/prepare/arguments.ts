/**
 * The command line of `deno task prepare-data`.
 *
 * @module
 */

import {
  parseCommandLine,
  UsageError,
  wholeNumber,
} from "../../lib/command_line.ts";
import { type Resize, RESIZES } from "../../lib/tuning/training_sizes.ts";
import type { InputPart } from "./prepare_data.ts";
import {
  INPUT_FORMATS,
  type InputFormat,
  OUTPUT_FORMS,
  type OutputForm,
} from "./data_formats.ts";
import type { ColumnNames } from "./readers/source.ts";

/** The arguments of the command. */
export interface PrepareArguments {
  /** Path of the input. */
  readonly input: string;
  /** Folder of the set. */
  readonly out: string;
  /** Format of the input; undefined to recognize it. */
  readonly format: InputFormat | undefined;
  /** Form of the set. */
  readonly form: OutputForm;
  /** Columns of the input. */
  readonly columns: ColumnNames;
  /** Kind of resizing. */
  readonly resize: Resize;
  /** Area of the first released resize; undefined for the model's. */
  readonly imageArea: number | undefined;
  /** Folder or source of the model; undefined for the embedded one. */
  readonly model: string | undefined;
  /** Folder or source of its vision tokenizer, if that is not beside it. */
  readonly visionModel: string | undefined;
  /** Addresses of servers that encode; empty to encode here. */
  readonly endpoints: readonly string[];
  /** Addresses of servers that write missing captions. */
  readonly captionWith: readonly string[];
  /** Question for captions. */
  readonly captionQuestion: string | undefined;
  /** Part of the input; undefined for all. */
  readonly part: InputPart | undefined;
  /** Records of a file. */
  readonly shardSize: number;
  /** The most records that may be unusable. */
  readonly maxErrors: number;
  /** True to try unusable records again. */
  readonly retryErrors: boolean;
  /** True to omit repeated pictures. */
  readonly skipDuplicates: boolean;
  /** Number of cores; undefined for all. */
  readonly threads: number | undefined;
}

/** Usage text of the command. */
export const USAGE =
  `Usage: deno task prepare-data <input> --out <folder> [options]

Encodes pictures with their texts, or questions and answers, for tuning. <input>
is a folder of pictures (with a .txt beside each, or none), a JSON array, JSON
lines, CSV, TSV, WebDataset archives or Parquet files, as a file or a folder. Run
it again after an interruption: it goes on where it was.

  -o, --out <folder>        folder of the prepared set
      --to <form>           ${
    OUTPUT_FORMS.join(", ")
  } (default emu3, as released)
      --format <format>     format of the input, if it is not recognized:
                            ${INPUT_FORMATS.join(", ")}
      --image-column, --text-column, --name-column, --question-column,
      --answer-column <name>
                            columns of the input, if their names are not usual
      --resize <kind>       ${
    RESIZES.join(", ")
  } (default released, in two steps)
      --image-area <pixels> area of its first step (default the model's)
      --model <source>      model to prepare for (default the embedded one): a
                            folder or a source, as for a server
      --vision-model <source>
                            its vision tokenizer, if that is not beside it
      --endpoints <urls>    servers that encode, with commas; the key of each is
                            EMU3_API_KEY
      --caption-with <urls> servers that describe pictures without a text
      --caption-question <text>
                            question that descriptions answer
      --shard <i>/<n>       part i of n, from 0: for several machines
      --shard-size <n>      records of a file (default 1000)
      --max-errors <n>      end after that many unusable records (default never)
      --retry-errors        try records again that were unusable
      --skip-duplicates     leave out pictures that the set has already
      --threads <n>         cores to use (default all)`;

const TEXT = { type: "string" } as const;
const FLAG = { type: "boolean" } as const;

const OPTIONS = {
  out: { ...TEXT, short: "o" },
  ...{ to: TEXT, format: TEXT, resize: TEXT, model: TEXT, endpoints: TEXT },
  ...{ "image-column": TEXT, "text-column": TEXT, "name-column": TEXT },
  ...{ "question-column": TEXT, "answer-column": TEXT, "image-area": TEXT },
  ...{ "vision-model": TEXT, "caption-with": TEXT, "caption-question": TEXT },
  ...{ shard: TEXT, "shard-size": TEXT, "max-errors": TEXT, threads: TEXT },
  ...{ "retry-errors": FLAG, "skip-duplicates": FLAG },
} as const;

/**
 * Parses a command line.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseArguments(words: readonly string[]): PrepareArguments {
  try {
    return parse(words);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError("prepare-data", cause.message, USAGE, { cause });
  }
}

function parse(words: readonly string[]): PrepareArguments {
  const { values, positionals } = parseCommandLine(words, OPTIONS);
  const [input, ...others] = positionals;
  if (input === undefined) throw new SyntaxError("the input is missing");
  if (others.length > 0) {
    throw new SyntaxError(`"${others[0]}" is one input too many`);
  }
  if (!values.out) throw new SyntaxError("--out is missing");
  const formats = [undefined, ...INPUT_FORMATS];
  return {
    input,
    out: values.out,
    format: oneOf("format", values.format, formats),
    form: oneOf("to", values.to ?? "emu3", OUTPUT_FORMS),
    columns: {
      image: values["image-column"],
      text: values["text-column"],
      name: values["name-column"],
      question: values["question-column"],
      answer: values["answer-column"],
    },
    resize: oneOf("resize", values.resize ?? "released", RESIZES),
    imageArea: wholeNumber("image-area", values["image-area"]),
    model: values.model,
    visionModel: values["vision-model"],
    endpoints: listOf(values.endpoints),
    captionWith: listOf(values["caption-with"]),
    captionQuestion: values["caption-question"],
    part: values.shard === undefined ? undefined : partOf(values.shard),
    shardSize: wholeNumber("shard-size", values["shard-size"]) ?? 1000,
    maxErrors: wholeNumber("max-errors", values["max-errors"], 0) ?? Infinity,
    retryErrors: values["retry-errors"] ?? false,
    skipDuplicates: values["skip-duplicates"] ?? false,
    threads: wholeNumber("threads", values.threads),
  };
}

function oneOf<T extends string | undefined>(
  option: string,
  value: string | undefined,
  known: readonly T[],
): T {
  const found = known.find((one) => one === value);
  if (found !== undefined || value === undefined) return found!;
  const names = known.filter((one) => one !== undefined);
  throw new SyntaxError(
    `--${option} "${value}" is unknown, expected ${names.join(", ")}`,
  );
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").map((part) => part.trim())
    .filter((part) => part !== "");
}

function partOf(text: string): InputPart {
  const [, index, number] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (index === undefined || Number(index) >= Number(number)) {
    throw new SyntaxError(
      `--shard "${text}" is not such as 0/4, 1/4, 2/4 or 3/4`,
    );
  }
  return { index: Number(index), count: Number(number) };
}
