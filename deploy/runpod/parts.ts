/**
 * The parts of an answer, as RunPod's clients stream them: events of the
 * functions as `{event, data}`, and text of OpenAI's streams unchanged.
 *
 * RunPod accepts a megabyte per part. Longer text is split; of a longer event
 * only the name is sent, since the answer has its data as well.
 *
 * @module
 */

import type { JobEvent } from "./job_server.ts";

/** A part of an answer. */
export type AnswerPart = JobEvent | string;

/** Most characters of a part; a character is at most three bytes. */
const MAX_PART_CHARACTERS = 300_000;

/** Merges adjacent parts; undefined for those that are sent separately. */
export function mergeParts(
  first: AnswerPart,
  second: AnswerPart,
): AnswerPart | undefined {
  if (typeof first === "string" || typeof second === "string") {
    if (typeof first !== "string" || typeof second !== "string") return;
    const whole = first + second;
    return whole.length <= MAX_PART_CHARACTERS ? whole : undefined;
  }
  const before = textOf(first);
  const after = textOf(second);
  if (before === undefined || after === undefined) return undefined;
  return { event: "delta", data: { text: before + after } };
}

/** Returns the messages of a part. */
export function partsOf(part: AnswerPart): unknown[] {
  if (typeof part === "string") return cut(part);
  const { event, data } = part;
  const long = JSON.stringify(data).length > MAX_PART_CHARACTERS;
  return [long ? { event, data: null } : { event, data }];
}

/** Yields the text of OpenAI's streams, an event or more at a time. */
export async function* textParts(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, void, undefined> {
  let held = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    held += text;
    const end = held.lastIndexOf("\n\n") + 2;
    if (end < 2) continue;
    yield held.slice(0, end);
    held = held.slice(end);
  }
  if (held !== "") yield held;
}

function cut(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += MAX_PART_CHARACTERS) {
    pieces.push(text.slice(at, at + MAX_PART_CHARACTERS));
  }
  return pieces;
}

/** Returns the text of a `delta` event. */
function textOf({ event, data }: JobEvent): string | undefined {
  if (event !== "delta" || typeof data !== "object" || data === null) return;
  const text = "text" in data ? data.text : undefined;
  return typeof text === "string" ? text : undefined;
}
