/**
 * Parts of an answer, as RunPod's clients stream them: events of our functions
 * as `{event, data}`, and text of OpenAI's streams as it is.
 *
 * RunPod takes a megabyte a part. Text is cut; of an event that is longer the
 * name is told, since what it carries is in the answer as well.
 *
 * @module
 */

import type { WireEvent } from "../http/sse.ts";

/** A part of an answer. */
export type Part = WireEvent | string;

/** Characters of a part; a character is at most three bytes. */
const MAX_PART_CHARACTERS = 300_000;

/** Parts that wait for each other as one; undefined where they stay apart. */
export function mergeParts(first: Part, second: Part): Part | undefined {
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

/** What is sent of a part. */
export function partsOf(part: Part): unknown[] {
  if (typeof part === "string") return cut(part);
  const { event, data } = part;
  const long = JSON.stringify(data).length > MAX_PART_CHARACTERS;
  return [long ? { event, data: null } : { event, data }];
}

/** Text of OpenAI's streams, an event or more at a time. */
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

/** Of a `delta` event. */
function textOf({ event, data }: WireEvent): string | undefined {
  if (event !== "delta" || typeof data !== "object" || data === null) return;
  const text = "text" in data ? data.text : undefined;
  return typeof text === "string" ? text : undefined;
}
