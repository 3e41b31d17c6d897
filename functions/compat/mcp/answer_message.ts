/**
 * The answer to one message, by the protocol's own server and transport.
 *
 * @module
 */

// The package declares its types in a way that only some tools resolve.
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
 * @param note Called with a function that cancels the call; returns a function
 *   to call when the call has ended.
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
    c.get("abandon").abort(
      new DOMException("the caller disconnected", "AbortError"),
    );
    // Ends the stream as well: canceled calls are not answered.
    void server.close();
  };
  const forget = note(end);
  const options = { parsedBody: message };
  const handled = transport.handleRequest(asPackageTakes(c.req.raw), options);
  // A call that is canceled never gets JSON.
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

/** Returns the transport's refusal as an error of this server. */
async function refusal(response: Response): Promise<Error> {
  const { error } = await response.json();
  switch (response.status) {
    case 415:
      return new MediaTypeError(
        "its Content-Type is not supported; set it to application/json",
      );
    default:
      return new MalformedBodyError(error.message);
  }
}

/** Rejects when a call is canceled, and never settles otherwise. */
function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

/**
 * Returns `response`, and reports the end of its stream.
 *
 * @param onLeft Called when the reader disconnects.
 * @param onEnd Called once, in any case.
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

/** Yields a result in pieces: one with pictures comes as a single part. */
async function* piecesOf(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of body) yield* piecesOfBytes(part);
}

/** Returns the answer, made by the context, which adds the common headers. */
function answer(
  c: Context<AppEnv>,
  body: ReadableStream<Uint8Array> | null,
  response: Response,
): Response {
  const answer = c.newResponse(body, response);
  // Invalid under HTTP/2.
  answer.headers.delete("connection");
  return answer;
}
