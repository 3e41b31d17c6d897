/**
 * The route `POST /v1/responses`: a question, and pictures if there are any →
 * text, for OpenAI's clients. No response is stored.
 *
 * @module
 */

import { Hono } from "hono";
import { readJson } from "../../http/body.ts";
import type { AppEnv } from "../../http/context.ts";
import { responsesDescription } from "../../openapi/description/responses.ts";
import { eventStream } from "../../http/sse.ts";
import type { Captioners } from "../../models/ports.ts";
import { NotFoundError } from "../../http/errors/errors.ts";
import { serverTiming } from "../../http/server_timing.ts";
import { startQuestion } from "./question_run.ts";
import { responseAnswer, responseEvents } from "./responses_fields.ts";
import { responsesQuestion, ResponsesRequest } from "./responses_request.ts";
import { unixSeconds } from "./schema.ts";

/** Returns the route, ready to mount. */
export function responses(captioners: Captioners): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/v1/responses", responsesDescription, async (c) => {
      const { maxBodyBytes } = captioners.limits;
      const request = await readJson(c.req.raw, ResponsesRequest, maxBodyBytes);
      const frame = { created: unixSeconds(), request };
      const question = responsesQuestion(request);
      const call = c.get("call");
      const run = await startQuestion(captioners, question, "/input", call);
      if (request.stream) {
        return await eventStream(c, responseEvents(run, frame));
      }
      const answered = await run.finish();
      return c.json(responseAnswer(answered, frame), 200, {
        "server-timing": serverTiming(answered.timings),
      });
    })
    // Reading, deleting, canceling: only for servers that store responses.
    .all("/v1/responses/:id{.+}", () => {
      throw new NotFoundError(
        "Cannot find response: responses are not stored; send the whole conversation to POST /v1/responses",
      );
    });
}
