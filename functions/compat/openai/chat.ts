/**
 * The route `POST /v1/chat/completions`: a question, and pictures if there are
 * any → text, for OpenAI's clients.
 *
 * @module
 */

import { Hono } from "hono";
import { readJson } from "../../http/body.ts";
import type { AppEnv } from "../../http/context.ts";
import { chatDescription } from "../../openapi/description/openai.ts";
import { eventStream } from "../../http/sse.ts";
import type { Captioners } from "../../models/ports.ts";
import { serverTiming } from "../../http/server_timing.ts";
import { CHAT_END, chatAnswer, chatChunks } from "./chat_fields.ts";
import { ChatRequest, parsedQuestion } from "./chat_request.ts";
import { startQuestion } from "./question_run.ts";
import { unixSeconds } from "./schema.ts";

/** Returns the route, ready to mount. */
export function chat(captioners: Captioners): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/chat/completions",
    chatDescription,
    async (c) => {
      const { maxBodyBytes } = captioners.limits;
      const request = await readJson(c.req.raw, ChatRequest, maxBodyBytes);
      const frame = {
        created: unixSeconds(),
        includeUsage: request.stream_options?.include_usage ?? false,
      };
      const question = parsedQuestion(request);
      const call = c.get("call");
      const run = await startQuestion(captioners, question, "/messages", call);
      if (request.stream) {
        return await eventStream(c, chatChunks(run, frame), { end: CHAT_END });
      }
      const answered = await run.finish();
      return c.json(chatAnswer(answered, frame), 200, {
        "server-timing": serverTiming(answered.timings),
      });
    },
  );
}
