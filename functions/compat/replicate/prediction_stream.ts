/**
 * What happens to a prediction, as Replicate's clients listen to it.
 *
 * ```text
 * output   a part of an answer, or a picture as a data URL
 * error    why it failed
 * done     the end
 * ```
 *
 * @module
 */

import type { StoredEvent } from "../../http/sse.ts";
import type { Job } from "../../jobs/job.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import { dataUrl } from "./prediction.ts";

/** Events of a prediction, until it ends or the signal aborts. */
export async function* predictionEvents(
  { runner }: Jobs,
  { id }: Job,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent, void, undefined> {
  for await (const stored of runner.events(id, 0, signal)) {
    const told = TOLD.get(stored) ?? inTheirWords(stored);
    if (told === undefined) continue;
    TOLD.set(stored, told);
    yield told;
  }
}

/** Several readers share an event, which may be long. */
const TOLD = new WeakMap<StoredEvent, StoredEvent>();

/** Undefined for what their clients do not know. */
function inTheirWords(stored: StoredEvent): StoredEvent | undefined {
  const { event, data } = stored;
  switch (event) {
    case "delta":
      return { ...stored, event: "output", data: JSON.parse(data).text };
    case "image":
      return { ...stored, event: "output", data: dataUrl(JSON.parse(data)) };
    case "error":
      return { ...stored, data: JSON.parse(data).detail };
    case "completed":
      return { ...stored, event: "done", data: "{}" };
    case "canceled":
    case "interrupted":
      return { ...stored, event: "done", data: `{"reason":"${event}"}` };
  }
}
