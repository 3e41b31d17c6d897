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
  "Id of the session, created with the response to initialize and sent with all later requests.";

/** The description of the route. */
export const mcpDescription = describe({
  id: "sendMcpMessage",
  tag: "mcp",
  summary: "Send a message of the Model Context Protocol",
  text:
    "Streamable HTTP transport with the tools generate_image, caption_image, tokenize_image and detokenize_image, if their functions are enabled; tools/list returns their schemas. The response is a stream of events if Accept contains text/event-stream, else JSON. Errors of a tool are results with isError.",
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
      description:
        "Negotiated version of the protocol; unknown versions fail with 400.",
      schema: { type: "string" },
      example: "2025-11-25",
    },
    IDEMPOTENCY_KEY,
  ],
  body: json(McpMessage, {
    examples: {
      tools: {
        summary: "List the tools",
        value: { jsonrpc: "2.0", id: 1, method: "tools/list" },
      },
      call: {
        summary: "An image",
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
      description: "The response; in a stream, after progress notifications",
      content: { ...json(McpAnswer), ...eventStream("McpEvent") },
      headers: {
        "Mcp-Session-Id": header(SESSION, "string", false),
      },
    },
    202: { description: "A notification or a response was accepted" },
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
