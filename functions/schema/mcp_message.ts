/**
 * The messages of the Model Context Protocol (JSON-RPC 2.0) for
 * `/openapi.json`; the protocol's own package checks them.
 *
 * @module
 */

import * as v from "valibot";

const MessageId = v.union([v.string(), v.pipe(v.number(), v.integer())]);

const version = v.literal("2.0");

const call = {
  jsonrpc: version,
  method: v.pipe(
    v.string(),
    v.examples(["initialize", "tools/list", "tools/call"]),
  ),
  params: v.optional(v.looseObject({})),
};

/** The schema of a client's message. */
export const McpMessage = v.pipe(
  v.union([
    v.pipe(
      v.strictObject({ id: MessageId, ...call }),
      v.description("A request, with a stream of events as its response."),
    ),
    v.pipe(
      v.strictObject(call),
      v.description("A notification, with an empty 202 response."),
    ),
  ]),
  v.metadata({ ref: "McpMessage" }),
);

/** The schema of the answer to a message. */
export const McpAnswer = v.union([
  v.strictObject({
    jsonrpc: version,
    id: MessageId,
    result: v.looseObject({}),
  }),
  v.strictObject({
    jsonrpc: version,
    id: v.nullable(MessageId),
    error: v.strictObject({
      code: v.pipe(v.number(), v.integer()),
      message: v.string(),
      data: v.optional(v.unknown()),
    }),
  }),
  v.strictObject(call),
]);
