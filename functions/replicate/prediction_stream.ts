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

import type { StoredEvent } from "../events.ts";
import type { Job } from "../jobs/job.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { dataUrl } from "./prediction.ts";

/** Events of a prediction, until it ends or the signal aborts. */
export async function* predictionEvents(
  { runner }: Jobs,
  { id }: Job,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent, void, undefined> {
  for await (const stored of runner.events(id, 0, signal)) {
    const { event } = stored;
    const fields = JSON.parse(stored.data);
    switch (event) {
      case "delta":
        yield { ...stored, event: "output", data: fields.text };
        break;
      case "image":
        yield { ...stored, event: "output", data: dataUrl(fields) };
        break;
      case "error":
        yield { ...stored, data: fields.detail };
        break;
      case "completed":
        yield { ...stored, event: "done", data: "{}" };
        break;
      case "canceled":
      case "interrupted":
        yield { ...stored, event: "done", data: `{"reason":"${event}"}` };
        break;
    }
  }
}
