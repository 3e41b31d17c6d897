/**
 * The description of event streams.
 *
 * OpenAPI 3.1 cannot describe streams. Here, as in 3.2, the schema is that of
 * one event, whose data is text that holds JSON.
 *
 * @module
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenerateSpecOptions } from "hono-openapi";
import * as v from "valibot";
import { CHAT_END } from "../../compat/openai/chat_fields.ts";
import {
  CAPTION_EVENTS,
  GENERATE_EVENTS,
} from "../../schema/answers/answers.ts";
import { ChatChunk, IMAGE_EVENTS } from "../../schema/answers/openai.ts";
import { EDIT_EVENTS } from "../../schema/answers/edits.ts";
import { RESPONSE_EVENTS } from "../../schema/answers/responses.ts";
import { ProblemAnswer } from "../../schema/answers/server.ts";
import { McpAnswer } from "../../schema/mcp_message.ts";
import type { Content } from "./describe.ts";

/** The schemas of the document by name. */
type ComponentSchemas = NonNullable<
  NonNullable<GenerateSpecOptions["documentation"]["components"]>["schemas"]
>;

/** The key of events without a name. */
const UNNAMED = "";

/** The event data of each stream, and its end, by schema name. */
const STREAMS = {
  GenerateEvent: {
    events: { ...GENERATE_EVENTS, error: ProblemAnswer },
    end: "The last event is completed or error.",
  },
  CaptionEvent: {
    events: { ...CAPTION_EVENTS, error: ProblemAnswer },
    end: "The last event is completed or error.",
  },
  ImagesEvent: {
    events: { ...IMAGE_EVENTS, error: ProblemAnswer },
    end: "The last event is that of the last image, or error.",
  },
  EditEvent: {
    events: { ...EDIT_EVENTS, error: ProblemAnswer },
    end: "The last event is that of the last image, or error.",
  },
  ChatEvent: {
    events: { [UNNAMED]: ChatChunk, error: ProblemAnswer },
    end: "The last event has the data [DONE], or is error.",
  },
  ResponseEvent: {
    events: { ...RESPONSE_EVENTS, error: ProblemAnswer },
    end: "The last event is response.completed, response.incomplete or error.",
  },
  McpEvent: {
    events: { message: McpAnswer },
    end: "The last event is the response to the request.",
  },
} as const;

/** Returns the content of an event stream. */
export function eventStream(name: keyof typeof STREAMS): Content {
  return {
    "text/event-stream": {
      schema: { $ref: `#/components/schemas/${name}` },
    },
  };
}

/** Returns the schemas of one event of each stream. */
export function eventSchemas(): ComponentSchemas {
  return Object.fromEntries(
    Object.entries(STREAMS).map(([name, { events, end }]) => [name, {
      description: `One event of a stream, with JSON as its data. ${end}`,
      anyOf: [
        ...Object.entries(events).map(([event, data]) => eventOf(event, data)),
        ...(UNNAMED in events ? [DONE] : []),
      ],
    }]),
  );
}

/** The end of a stream of events without a name. */
const DONE = {
  type: "object" as const,
  properties: { data: { const: CHAT_END } },
  required: ["data"],
};

function eventOf(event: string, data: v.GenericSchema) {
  return {
    type: "object" as const,
    properties: {
      ...(event !== UNNAMED && { event: { const: event } }),
      data: {
        type: "string" as const,
        contentMediaType: "application/json",
        contentSchema: jsonSchema(data),
      },
    },
    required: event === UNNAMED ? ["data"] : ["event", "data"],
  };
}

/** Returns the JSON Schema, by reference if the document names it. */
function jsonSchema(schema: v.GenericSchema) {
  const { ref } = v.getMetadata(schema);
  if (typeof ref === "string") return { $ref: `#/components/schemas/${ref}` };
  const { $schema: _, ...rest } = toJsonSchema(schema);
  return rest;
}
