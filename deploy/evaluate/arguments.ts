/**
 * The command line of `deno task evaluate`.
 *
 * @module
 */

import {
  parseCommandLine,
  UsageError,
  wholeNumber,
} from "../../lib/command_line.ts";
import type { Template } from "../../models/config/generation_config.ts";

/** The arguments of the command. */
export interface EvaluateArguments {
  /** Folder of a prepared set, whose loss is measured. */
  readonly data: string | undefined;
  /** Folder or file of pictures, whose reconstruction is measured. */
  readonly pictures: string | undefined;
  /** File of questions, whose answers are compared. */
  readonly questions: string | undefined;
  /** Folder or source of the model; undefined for the embedded one. */
  readonly model: string | undefined;
  /** Folder or source of its vision tokenizer, if that is not beside it. */
  readonly visionModel: string | undefined;
  /** Folder of an adapter. */
  readonly adapter: string | undefined;
  /** Template of questions; undefined for the model's. */
  readonly template: Template | undefined;
  /** Maximum tokens of an answer. */
  readonly answerTokens: number;
  /** Maximum records of each measure. */
  readonly limit: number;
  /** True to print JSON. */
  readonly json: boolean;
  /** File of the report. */
  readonly report: string | undefined;
}

/** Usage text of the command. */
export const USAGE = `Usage: deno task evaluate [<data>] [options]

Measures a model, with or without an adapter: the loss per token of a prepared
set, the reconstruction of pictures by the vision tokenizer, exact matches of
answers. At least one of <data>, --pictures and --questions is needed.

  <data>                    folder that deno task prepare-data wrote: loss of
                            the codes of pictures and of the tokens of answers
      --pictures <input>    a folder of pictures, or another input of
                            prepare-data: PSNR and SSIM
      --questions <file>    JSON lines of {"image", "question", "answer"}; an
                            answer may be a list, of which any is right

      --model <checkpoint>  folder or source, as for a server (the embedded one)
      --vision-model <source>
                            its vision tokenizer, if that is not beside it
      --adapter <folder>    LoRA adapter to evaluate with
      --template chat|base  template of questions (the model's)
      --answer-tokens <n>   most tokens of an answer (64)
      --limit <n>           records of each measure, the first ones (all)
      --json                print JSON in place of a table
      --report <file>       write a report in HTML`;

const TEXT = { type: "string" } as const;
const FLAG = { type: "boolean" } as const;

const OPTIONS = {
  ...{ pictures: TEXT, questions: TEXT, model: TEXT, adapter: TEXT },
  ...{ "vision-model": TEXT, template: TEXT, "answer-tokens": TEXT },
  ...{ limit: TEXT, json: FLAG, report: TEXT },
} as const;

/** Default maximum tokens of an answer. */
const ANSWER_TOKENS = 64;

/**
 * Parses a command line.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseArguments(words: readonly string[]): EvaluateArguments {
  try {
    return parse(words);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError("evaluate", cause.message, USAGE, { cause });
  }
}

function parse(words: readonly string[]): EvaluateArguments {
  const { values, positionals } = parseCommandLine(words, OPTIONS);
  const [data, ...others] = positionals;
  if (others.length > 0) {
    throw new SyntaxError(`"${others[0]}" is one folder of data too many`);
  }
  const { pictures, questions, adapter } = values;
  if ([data, pictures, questions].every((input) => !input)) {
    throw new SyntaxError(
      "nothing to measure is named: a prepared set, --pictures or --questions",
    );
  }
  if (adapter !== undefined && !data && !questions) {
    throw new SyntaxError(
      "--adapter changes no reconstruction: name a prepared set or --questions",
    );
  }
  return {
    data: data || undefined,
    pictures: pictures || undefined,
    questions: questions || undefined,
    model: values.model,
    visionModel: values["vision-model"],
    adapter,
    template: templateOf(values.template),
    answerTokens: wholeNumber("answer-tokens", values["answer-tokens"]) ??
      ANSWER_TOKENS,
    limit: wholeNumber("limit", values.limit) ?? Infinity,
    json: values.json === true,
    report: values.report,
  };
}

function templateOf(text: string | undefined): Template | undefined {
  if (text === undefined || text === "chat" || text === "base") return text;
  throw new SyntaxError(
    `--template "${text}" is unknown, expected chat or base`,
  );
}
