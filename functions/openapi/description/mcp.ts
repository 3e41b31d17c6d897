/**
 * The description of `POST /mcp`.
 *
 * @module
 */

import { McpAnswer, McpMessage } from "../../schema/mcp_message.ts";
import {
  BODY_PROBLEMS,
  describe,
  header,
  json,
  POST_PROBLEMS,
} from "./describe.ts";
import { eventStream } from "./events.ts";
import { IDEMPOTENCY_KEY } from "./jobs.ts";

const SESSION =
  "Whose calls are whose: made with the answer to initialize, and sent back with whatever comes later.";

/** The description of the route. */
export const mcpDescription = describe({
  id: "sendMcpMessage",
  tag: "mcp",
  summary: "A message of a client of the Model Context Protocol",
  text:
    "Streamable HTTP: tools generate_image, caption_image, tokenize_image and detokenize_image, as far as their functions are served; tools/list has their schemas. Events come where Accept lists text/event-stream, else the answer alone as JSON. An error of a tool is a result with isError.",
  parameters: [
    {
      in: "header",
      name: "Mcp-Session-Id",
      description: SESSION,
      schema: { type: "string" },
    },
    {
      in: "header",
      name: "MCP-Protocol-Version",
      description: "As it was agreed on; 400 where it is not known.",
      schema: { type: "string" },
      example: "2025-11-25",
    },
    IDEMPOTENCY_KEY,
  ],
  body: json(McpMessage, {
    examples: {
      tools: {
        summary: "What there is",
        value: { jsonrpc: "2.0", id: 1, method: "tools/list" },
      },
      call: {
        summary: "A picture",
        value: {
          jsonrpc: "2.0",
          id: 2,
          method: "tools/call",
          params: {
            name: "generate_image",
            arguments: { prompt: "three apples" },
          },
        },
      },
      notification: {
        summary: "A notification",
        value: { jsonrpc: "2.0", method: "notifications/initialized" },
      },
    },
  }),
  answers: {
    200: {
      description:
        "The answer; as events, notifications of progress come before it",
      content: { ...json(McpAnswer), ...eventStream("McpEvent") },
      headers: {
        "Mcp-Session-Id": header(SESSION, "string", false),
      },
    },
    202: { description: "A notification or a response was taken" },
  },
  problems: [
    ...BODY_PROBLEMS,
    ...POST_PROBLEMS,
    "not-acceptable",
    "overloaded",
    "shutting-down",
    "deadline",
  ],
});
