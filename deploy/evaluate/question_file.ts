/**
 * The reader of questions: JSON lines with a picture, a question and the right
 * answers.
 *
 * ```json
 * {"image": "a.png", "question": "How many?", "answer": ["3", "three"]}
 * ```
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { asFields, asText } from "../prepare/readers/as_text.ts";
import { InputStream } from "../prepare/readers/input_file.ts";
import { rowRecord } from "../prepare/readers/row_record.ts";
import { RecordError } from "../prepare/readers/source.ts";

/** A question with its right answers. */
export interface ParsedQuestion {
  /** Bytes of the picture. */
  readonly picture: Uint8Array<ArrayBuffer>;
  /** The question. */
  readonly question: string;
  /** Right answers, any of which is accepted. */
  readonly expected: readonly string[];
}

/** A line of the file. */
export interface QuestionLine {
  /** Place of the line, for messages. */
  readonly place: string;
  /**
   * Returns the question.
   *
   * @throws {RecordError} If the line is unusable, with the reason.
   */
  readonly read: () => Promise<ParsedQuestion>;
}

/**
 * Yields the lines of the file at `path`; empty ones are skipped.
 *
 * @throws {PreparationError} If it cannot be opened.
 */
export async function* questionLines(
  path: string,
): AsyncGenerator<QuestionLine> {
  using stream = await InputStream.open(path);
  let number = 0;
  for await (const line of stream.lines()) {
    number++;
    if (line.trim() === "") continue;
    const place = `${basename(path)}, line ${number}`;
    yield { place, read: () => questionOf(line, place, dirname(path)) };
  }
}

async function questionOf(
  line: string,
  place: string,
  folder: string,
): Promise<ParsedQuestion> {
  const fields = asFields(parsed(line));
  if (fields === undefined) throw new RecordError("it is no object");
  const question = asText(fields.question);
  if (!question) throw new RecordError('it has no "question"');
  const { answer } = fields;
  const expected = (Array.isArray(answer) ? answer : [answer]).map(asText);
  if (expected.length === 0 || expected.some((text) => !text?.trim())) {
    throw new RecordError(
      'its "answer" is neither a text nor a list of texts',
    );
  }
  const columns = {
    image: "image",
    question: "question",
    text: undefined,
    name: undefined,
    answer: undefined,
  };
  const { picture } = rowRecord(fields, columns, {
    place,
    folder,
    otherwise: place,
  });
  return {
    picture: await picture(),
    question,
    expected: expected.filter((text) => text !== undefined),
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RecordError(`it is no JSON: ${reason}`, { cause });
  }
}
