/**
 * The protocol's own server for one message, with our tools behind it.
 *
 * @module
 */

import { Server } from "@modelcontextprotocol/sdk/server";
// The package says where its types are in a way that only some tools find.
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
import { VERSION } from "../../http/version.ts";
import type { Progress, Tool, ToolAnswer } from "./tool.ts";

/** What the tools are called with. */
export interface ServerUse {
  /** What goes with a call. */
  readonly call: Call;
  /** What a client is told of an error. */
  readonly describe: (error: unknown) => string;
}

const INFO = { name: "emu3", title: "Emu3", version: VERSION };

/** Servers validate nothing with it unless they ask people questions. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

/** A server that knows `tools`. */
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
          `Cannot find tool "${name.slice(0, 256)}": there is ${names}`,
        );
      }
      const onProgress = (progress: Progress) => {
        if (meta?.progressToken === undefined) return;
        extra.sendNotification({
          method: "notifications/progress",
          params: { progressToken: meta.progressToken, ...progress },
          // It fails where nobody reads any more, and then nobody misses it.
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

/** For models to read, and to do better next time. */
function refusal(text: string): CallToolResult {
  return { content: [{ type: "text", text }], isError: true };
}
