/**
 * Event streams, described.
 *
 * OpenAPI 3.1 has no word for streams. Here, as in 3.2, the schema is that of
 * one event, whose data is text that holds JSON.
 *
 * @module
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenerateSpecOptions } from "hono-openapi";
import * as v from "valibot";
import { CAPTION_EVENTS, GENERATE_EVENTS } from "../schema/answers.ts";
import { ProblemAnswer } from "../schema/answers_server.ts";
import type { Content } from "./describe.ts";

/** Schemas of the document, by name. */
type ComponentSchemas = NonNullable<
  NonNullable<GenerateSpecOptions["documentation"]["components"]>["schemas"]
>;

/** Data of the events of each stream, by the name of its schema. */
export const EVENTS = {
  GenerateEvent: { ...GENERATE_EVENTS, error: ProblemAnswer },
  CaptionEvent: { ...CAPTION_EVENTS, error: ProblemAnswer },
} as const;

/** An event stream. */
export function eventStream(name: keyof typeof EVENTS): Content {
  return {
    "text/event-stream": {
      schema: { $ref: `#/components/schemas/${name}` },
    },
  };
}

/** The schemas of one event of each stream. */
export function eventSchemas(): ComponentSchemas {
  return Object.fromEntries(
    Object.entries(EVENTS).map(([name, events]) => [name, {
      description:
        "One event of a stream. Its data is JSON; the last is completed, or error.",
      anyOf: Object.entries(events).map(([event, data]) =>
        eventOf(event, data)
      ),
    }]),
  );
}

function eventOf(event: string, data: v.GenericSchema) {
  return {
    type: "object" as const,
    properties: {
      event: { const: event },
      data: {
        type: "string" as const,
        contentMediaType: "application/json",
        contentSchema: jsonSchema(data),
      },
    },
    required: ["event", "data"],
  };
}

/** By reference where the document has it by name. */
function jsonSchema(schema: v.GenericSchema) {
  const { ref } = v.getMetadata(schema);
  if (typeof ref === "string") return { $ref: `#/components/schemas/${ref}` };
  const { $schema: _, ...rest } = toJsonSchema(schema);
  return rest;
}
