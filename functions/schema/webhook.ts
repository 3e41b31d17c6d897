/**
 * The webhook of a job: a field that every body of a job may have.
 *
 * @module
 */

import * as v from "valibot";
import { boundedList } from "./bounded_list.ts";

/** The job statuses that a webhook may subscribe to. */
export const WEBHOOK_EVENTS = [
  "running",
  "succeeded",
  "failed",
  "canceled",
  "interrupted",
] as const;

/** The schema of a webhook: its URL, and the statuses that it receives. */
export const Webhook = v.pipe(
  v.strictObject({
    url: v.pipe(v.string(), v.maxLength(2048), v.description("https://…")),
    events: v.optional(
      v.pipe(
        boundedList(v.picklist(WEBHOOK_EVENTS), {
          min: 1,
          max: WEBHOOK_EVENTS.length,
        }),
        v.description("Statuses to send; by default those that end a job."),
      ),
      ["succeeded", "failed", "canceled", "interrupted"],
    ),
  }),
  v.description(
    "Webhook for the statuses of a job, signed by Standard Webhooks.",
  ),
);
/** A webhook: its URL, and the statuses that it receives. */
export type Webhook = v.InferOutput<typeof Webhook>;
