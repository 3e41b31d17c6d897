/**
 * The route `POST /mcp`: the functions as tools of the Model Context Protocol,
 * over Streamable HTTP.
 *
 * Every message has its own server. The only state between messages is the list
 * of running calls, so that a client can cancel them. There is no stream
 * without a call (`GET`) and nothing to delete (`DELETE`).
 *
 * @module
 */

import { Hono } from "hono";
import * as v from "valibot";
import { MAX_MESSAGE_VALUES } from "../../http/body_limits.ts";
import { readBytes } from "../../http/body.ts";
import type { AppEnv } from "../../http/context.ts";
import { checkOrigin, type OriginPolicy } from "../../middleware/cross_site.ts";
import { mcpDescription } from "../../openapi/description/mcp.ts";
import type { FunctionName } from "../../schema/common.ts";
import { hasAtMost, parseJson } from "../../http/json.ts";
import type {
  Captioners,
  ImageGenerators,
  Tokenizers,
} from "../../models/ports.ts";
import {
  BodyTooComplexError,
  MalformedBodyError,
} from "../../http/errors/errors.ts";
import { captionImage } from "./caption_image.ts";
import { detokenizeImage } from "./detokenize_image.ts";
import { generateImage } from "./generate_image.ts";
import { RunningCalls } from "./running_calls.ts";
import { tokenizeImage } from "./tokenize_image.ts";
import type { Tool } from "./tool.ts";

/** The services behind the tools. */
export interface McpServices extends ImageGenerators, Captioners, Tokenizers {}

/** The options of the route. */
export interface McpOptions extends OriginPolicy {
  /** Served functions; tools of others are omitted. */
  readonly functions: ReadonlySet<FunctionName>;
}

/** Header of the session that a call belongs to. */
const SESSION = "mcp-session-id";

const MessageId = v.union([v.string(), v.number()]);

/**
 * The members that are checked here; the protocol's package checks the rest.
 */
const Message = v.object({
  id: v.optional(MessageId),
  method: v.optional(v.string()),
  params: v.optional(v.object({ requestId: v.optional(MessageId) })),
});
type Message = v.InferOutput<typeof Message>;

/** Returns the route, ready to mount. */
export function mcp(services: McpServices, options: McpOptions): Hono<AppEnv> {
  const tools = toolsOf(services)
    .filter((tool) => options.functions.has(tool.function));
  const running = new RunningCalls();
  return new Hono<AppEnv>().post("/mcp", mcpDescription, async (c) => {
    // The protocol requires it, also for requests with a key.
    checkOrigin(c.req.raw, options);
    const body = await readMessage(c.req.raw, services.limits.maxBodyBytes);
    const { id, method, params } = known(body);
    const caller = c.get("caller");
    const session = c.req.header(SESSION);
    if (method === "notifications/cancelled") {
      running.cancel({ caller, session, id: params?.requestId });
    }
    // Loaded on first use: it would make every start a fifth slower.
    const { answerMessage } = await import("./answer_message.ts");
    const note = (end: () => void) => running.add({ caller, session, id }, end);
    const answer = await answerMessage(c, body, tools, note);
    if (method === "initialize" && answer.ok) {
      answer.headers.set(SESSION, crypto.randomUUID());
    }
    return answer;
  });
}

function toolsOf(services: McpServices): Tool[] {
  return [
    generateImage(services),
    captionImage(services),
    tokenizeImage(services),
    detokenizeImage(services),
  ];
}

async function readMessage(
  request: Request,
  maxBytes: number,
): Promise<unknown> {
  const body = await parseJson(await readBytes(request, maxBytes));
  if (Array.isArray(body)) {
    throw new MalformedBodyError(
      "batches are not supported; send one message per request",
    );
  }
  if (!hasAtMost(MAX_MESSAGE_VALUES, withoutArguments(body))) {
    throw new BodyTooComplexError(
      `it has more than ${MAX_MESSAGE_VALUES} JSON values besides the arguments of a tool`,
    );
  }
  return body;
}

/**
 * Returns a message without the arguments of its tool, which the tool checks.
 * The protocol's package checks the rest, and collects an issue for every value
 * that is wrong.
 */
function withoutArguments(body: unknown): unknown {
  const { params, ...rest } = { params: undefined, ...Object(body) };
  if (typeof params !== "object" || params === null) return { params, ...rest };
  const { arguments: _, ...others } = { arguments: undefined, ...params };
  return { params: others, ...rest };
}

/** Returns the checked members; the transport refuses malformed messages. */
function known(body: unknown): Message {
  const parsed = v.safeParse(Message, body);
  return parsed.success ? parsed.output : {};
}
