/**
 * A reader of server-sent events, over POST.
 *
 * `EventSource` would do this, but it can only GET.
 *
 * @module
 */

// @ts-check

import { ProblemError, UnreachableError } from "./problem.js";
import { post } from "./request.js";

/**
 * @typedef {{ event: string, data: any }} ServerEvent
 * Name of an event and its data.
 */

/**
 * Yields the events of a POST. The request is sent by the first `next()`; a
 * refusal of the server is thrown.
 *
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<ServerEvent, void, undefined>}
 */
export async function* postForEvents(path, body, signal) {
  const answer = await post(path, body, {
    accept: "text/event-stream",
    ...(signal && { signal }),
  });
  if (answer.body !== null) yield* serverEvents(answer.body, signal);
}

/**
 * Yields the events of a stream. An `error` event is thrown.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {AbortSignal} [signal] Signal that may have ended the request.
 * @returns {AsyncGenerator<ServerEvent, void, undefined>}
 */
export async function* serverEvents(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    while (true) {
      const { value, done } = await orUnreachable(reader.read(), signal);
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parseEvent(block);
        // A comment line keeps the connection open and carries no event.
        if (event === undefined) continue;
        if (event.event === "error") throw new ProblemError(event.data);
        yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * @param {string} block
 * @returns {ServerEvent | undefined}
 */
function parseEvent(block) {
  const event = /^event: (.*)$/m.exec(block)?.[1];
  const data = /^data: (.*)$/m.exec(block)?.[1];
  if (event === undefined || data === undefined) return undefined;
  return { event, data: JSON.parse(data) };
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
async function orUnreachable(promise, signal) {
  try {
    return await promise;
  } catch (cause) {
    throw signal?.aborted ? cause : new UnreachableError(cause);
  }
}
