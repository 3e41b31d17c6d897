/**
 * The event stream of a prediction, in Replicate's format.
 *
 * ```text
 * output   a part of an answer, or a picture or clip as a data URL
 * error    the reason of the failure
 * done     the end
 * ```
 *
 * @module
 */

import type { StoredEvent } from "../../http/sse.ts";
import type { Job } from "../../jobs/job.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import { dataUrl } from "./prediction.ts";

/** Yields the events of a prediction, until it ends or the signal aborts. */
export async function* predictionEvents(
  { runner }: Jobs,
  { id }: Job,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent, void, undefined> {
  for await (const stored of runner.events(id, 0, signal)) {
    const converted = CONVERTED.get(stored) ?? toReplicateEvent(stored);
    if (converted === undefined) continue;
    CONVERTED.set(stored, converted);
    yield converted;
  }
}

/** The converted events: several readers share one, which may be long. */
const CONVERTED = new WeakMap<StoredEvent, StoredEvent>();

/**
 * Returns the event in Replicate's format; undefined for events that it lacks.
 */
function toReplicateEvent(stored: StoredEvent): StoredEvent | undefined {
  const { event, data } = stored;
  switch (event) {
    case "delta":
      return { ...stored, event: "output", data: JSON.parse(data).text };
    case "image":
    case "clip":
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
