/**
 * The protocol's own server for one message, with the tools of this server.
 *
 * @module
 */

import { Server } from "@modelcontextprotocol/sdk/server";
// The package declares its types in a way that only some tools resolve.
// @ts-types="@modelcontextprotocol/sdk/types"
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from "@modelcontextprotocol/sdk/types.js";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import type { Call } from "../../http/call.ts";
import { VERSION } from "../../../lib/version.ts";
import type { Tool, ToolAnswer, ToolProgress } from "./tool.ts";

/** The context of the tools. */
export interface ServerUse {
  /** Context of a call. */
  readonly call: Call;
  /** Returns the message of an error for the client. */
  readonly describe: (error: unknown) => string;
}

const INFO = { name: "emu3", title: "Emu3", version: VERSION };

/** The validator, which servers use only for elicitation. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

/** Returns a server with `tools`. */
export function protocolServer(
  tools: readonly Tool[],
  use: ServerUse,
): Server {
  const capabilities = { tools: {} };
  const server = new Server(INFO, { capabilities, jsonSchemaValidator });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(listing),
  }));
  server.setRequestHandler(
    CallToolRequestSchema,
    (request, extra) => {
      const { name, arguments: args = {}, _meta: meta } = request.params;
      const tool = tools.find((tool) => tool.name === name);
      if (tool === undefined) {
        const names = tools.map(({ name }) => name).join(", ");
        throw new McpError(
          ErrorCode.InvalidParams,
          `Cannot find tool "${
            name.slice(0, 256)
          }": available tools are ${names}`,
        );
      }
      const onProgress = (progress: ToolProgress) => {
        if (meta?.progressToken === undefined) return;
        extra.sendNotification({
          method: "notifications/progress",
          params: { progressToken: meta.progressToken, ...progress },
          // It fails only if the client has disconnected.
        }).catch(() => undefined);
      };
      const signal = AbortSignal.any([use.call.signal, extra.signal]);
      const call = { ...use.call, signal };
      return tool.run(args, { call, onProgress }).then(
        result,
        (error: unknown) => refusal(use.describe(error)),
      );
    },
  );
  return server;
}

function listing(
  { name, title, description, inputSchema, outputSchema }: Tool,
) {
  const annotations = {
    readOnlyHint: true,
    openWorldHint: false,
  };
  return { name, title, description, inputSchema, outputSchema, annotations };
}

function result({ pictures, fields, text }: ToolAnswer): CallToolResult {
  const words = text ?? JSON.stringify(fields);
  return {
    content: [...pictures, { type: "text", text: words }],
    structuredContent: fields,
  };
}

/**
 * Returns an error result for models to read, so that they can correct the
 * call.
 */
function refusal(text: string): CallToolResult {
  return { content: [{ type: "text", text }], isError: true };
}
