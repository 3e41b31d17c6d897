/**
 * The answer to one message, by the protocol's own server and transport.
 *
 * @module
 */

// The package says where its types are in a way that only some tools find.
// @ts-types="@modelcontextprotocol/sdk/server/webStandardStreamableHttp"
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import type { Context } from "hono";
import { type AppEnv, problemContext } from "../../http/context.ts";
import { pacedBody, piecesOfBytes } from "../../http/connection/paced_body.ts";
import { problemFrom } from "../../http/errors/problem.ts";
import {
  MalformedBodyError,
  MediaTypeError,
} from "../../http/errors/errors.ts";
import { answerForm, asPackageTakes } from "./answer_form.ts";
import { protocolServer } from "./protocol_server.ts";
import type { Tool } from "./tool.ts";

/**
 * Answers `message`.
 *
 * @param message A JSON-RPC message, unchecked.
 * @param note Told how to end the call early; what it returns is called when
 * the call has ended.
 */
export async function answerMessage(
  c: Context<AppEnv>,
  message: unknown,
  tools: readonly Tool[],
  note: (end: () => void) => () => void,
): Promise<Response> {
  const call = c.get("call");
  const describe = (error: unknown) => {
    c.get("report")(error);
    c.set("failed", true);
    return problemFrom(error, problemContext(c)).detail;
  };
  const server = protocolServer(tools, { call, describe });
  const form = answerForm(c.req.header("accept"));
  const transport = new WebStandardStreamableHTTPServerTransport({
    enableJsonResponse: form === "application/json",
  });
  await server.connect(transport);
  const end = () => {
    c.set("failed", true);
    c.get("abandon").abort(new DOMException("the caller left", "AbortError"));
    // Ends the stream as well: what was cancelled is not answered.
    void server.close();
  };
  const forget = note(end);
  const options = { parsedBody: message };
  const handled = transport.handleRequest(asPackageTakes(c.req.raw), options);
  // Of a call that ends early there is no JSON, ever.
  const response = await Promise.race([handled, endOf(call.signal)])
    .catch((error) => {
      forget();
      void server.close();
      throw error;
    });
  if (!response.ok) {
    forget();
    void server.close();
    throw await refusal(response);
  }
  return followed(c, response, end, () => {
    forget();
    void server.close();
  });
}

/** What the transport refused, as all refusals are told here. */
async function refusal(response: Response): Promise<Error> {
  const { error } = await response.json();
  switch (response.status) {
    case 415:
      return new MediaTypeError("application/json is taken");
    default:
      return new MalformedBodyError(error.message);
  }
}

/** Fails when a call ends early, and never comes otherwise. */
function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

/**
 * `response`, with word of how its stream ends.
 *
 * @param onLeft When its reader leaves.
 * @param onEnd In any case, once.
 */
function followed(
  c: Context<AppEnv>,
  response: Response,
  onLeft: () => void,
  onEnd: () => void,
): Response {
  if (response.body === null) {
    onEnd();
    return answer(c, null, response);
  }
  const ended = Promise.withResolvers<void>();
  c.set("ended", ended.promise);
  const body = pacedBody(piecesOf(response.body), {
    onLeft,
    onEnd: () => {
      onEnd();
      ended.resolve();
    },
  });
  return answer(c, body, response);
}

/** A result with pictures comes as one part, and is sent in pieces. */
async function* piecesOf(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of body) yield* piecesOfBytes(part);
}

/** Made by the context, which adds what every answer has. */
function answer(
  c: Context<AppEnv>,
  body: ReadableStream<Uint8Array> | null,
  response: Response,
): Response {
  const answer = c.newResponse(body, response);
  // Wrong under HTTP/2.
  answer.headers.delete("connection");
  return answer;
}
