/**
 * `POST /v1/chat/completions`: pictures and a question → text, for OpenAI's
 * clients.
 *
 * @module
 */

import { Hono } from "hono";
import { type AnswerRun, startAnswer } from "../answer_run.ts";
import { readJson } from "../body.ts";
import type { Call } from "../call.ts";
import type { AppEnv } from "../context.ts";
import { chatDescription } from "../description/openai.ts";
import { eventStream } from "../events.ts";
import type { Answerers } from "../ports.ts";
import { encodePicture } from "../prepare.ts";
import { serverTiming, Stopwatch } from "../timings.ts";
import { pictureBytes } from "../upload.ts";
import { CHAT_END, chatAnswer, chatChunks } from "./chat_fields.ts";
import type { AskedPicture } from "./chat_parts.ts";
import { askedQuestion, ChatRequest } from "./chat_request.ts";
import { unixSeconds } from "./time.ts";

/** The route, ready to mount. */
export function chat(answerers: Answerers): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/chat/completions",
    chatDescription,
    async (c) => {
      const { maxBodyBytes } = answerers.limits;
      const request = await readJson(c.req.raw, ChatRequest, maxBodyBytes);
      const frame = {
        created: unixSeconds(),
        includeUsage: request.stream_options?.include_usage ?? false,
      };
      const run = await begin(answerers, request, c.get("call"));
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

async function begin(
  answerers: Answerers,
  request: ChatRequest,
  call: Call,
): Promise<AnswerRun> {
  const { fields, pictures } = askedQuestion(request);
  const { vision } = answerers.answerer(fields.model);
  const watch = new Stopwatch();
  const encode = async ({ text, pointer }: AskedPicture) => {
    using held = new DisposableStack();
    const use = { call, held };
    const bytes = await pictureBytes(answerers, text, pointer, use);
    const options = { decode: "display", call } as const;
    return await encodePicture(answerers, bytes, vision, options);
  };
  const grids = [];
  for (const picture of pictures) {
    grids.push(await watch.run(() => encode(picture)));
  }
  const asked = { grids, visionMs: watch.milliseconds };
  return startAnswer(answerers, fields, asked, call);
}
