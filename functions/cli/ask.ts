/**
 * `task ask`: pictures and a question → answers.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { parseCommandLine } from "../../lib/command_line.ts";
import { type Command, numberOf } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { inputFiles, readInput, STANDARD } from "./input_files.ts";
import { PICTURE_EXTENSIONS } from "../../lib/image/image.ts";

const USAGE = `Usage: deno task ask <picture>… [question] [options]

Answers a question about each image, or describes it without a question. An
image is a file, a folder, a pattern such as "photos/*.jpg" or - for standard
input. The answer for a single image is printed alone; for several, each line
has the name of the file, a tab and the answer.

      --max-tokens <n>      maximum length of the answer, in tokens
      --temperature <x>     sampling temperature; 0 for the most likely answer
      --seed <n>            random seed; the same seed gives the same answer
      --model <name>        model to use, if there are several
      --json                print one JSON object per line, with all fields`;

const OPTIONS = {
  "max-tokens": { type: "string" },
  temperature: { type: "string" },
  seed: { type: "string" },
  model: { type: "string" },
  json: { type: "boolean" },
} as const;

/** The command. */
export const ASK: Command = {
  usage: USAGE,
  prepare: (words) => {
    const { values, positionals } = parseCommandLine(words, OPTIONS);
    if (positionals.length === 0) {
      throw new SyntaxError("the image is missing");
    }
    const options = Object.entries({
      "max_tokens": numberOf("max-tokens", values["max-tokens"]),
      temperature: numberOf("temperature", values.temperature),
      seed: numberOf("seed", values.seed),
      model: values.model,
    }).filter(([, value]) => value !== undefined);
    return async (context) => {
      const { pictures, question } = await splitWords(positionals);
      const files = await inputFiles(pictures, PICTURE_EXTENSIONS);
      return await eachFile(files, context, async (file) => {
        const form = new FormData();
        form.set("image", new Blob([await readInput(file)]), "image");
        if (question !== undefined) form.set("question", question);
        for (const [name, value] of options) form.set(name, `${value}`);
        const answer = await context.endpoint.request("/v1/caption", {
          method: "POST",
          headers: { accept: "application/json" },
          body: form,
        });
        const fields = await answer.json();
        const text: string = fields.text.trim();
        context.progress.clear();
        context.say(
          values.json
            ? JSON.stringify({ file: file.path, ...fields })
            : files.length === 1
            ? text
            : `${file.path}\t${text}`,
        );
      });
    };
  },
};

/** Splits words into pictures and the question, which is last if present. */
async function splitWords(words: readonly string[]): Promise<{
  readonly pictures: readonly string[];
  readonly question: string | undefined;
}> {
  const last = words.at(-1)!;
  const file = last === STANDARD ||
    await stat(last).then(() => true, () => false);
  return words.length === 1 || file
    ? { pictures: words, question: undefined }
    : { pictures: words.slice(0, -1), question: last };
}
