/**
 * `POST /v1/caption`: pictures and a question → text.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { chosenAdapter } from "./inference/adapters.ts";
import { type CaptioningRun, startCaptioning } from "./inference/captioning.ts";
import type { AppEnv } from "./http/context.ts";
import { captionDescription } from "./openapi/description/caption.ts";
import { eventStream } from "./http/sse.ts";
import { negotiate } from "./http/accept.ts";
import type { Captioners, ModelPair } from "./models/ports.ts";
import { checkOneWay, questionGrids } from "./inference/image_inputs.ts";
import { CaptionRequest, MAX_PICTURES } from "./schema/caption.ts";
import { serverTiming } from "./http/server_timing.ts";
import { readUpload, type Upload } from "./http/upload.ts";

/** Types of answers, the default first. */
const TYPES = ["application/json", "text/event-stream", "text/plain"] as const;

/** Returns the route, ready to mount. */
export function caption(captioners: Captioners): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/caption",
    captionDescription,
    async (c) => {
      const type = negotiate(c.req.header("accept"), TYPES);
      const upload = await readUpload(c.req.raw, CaptionRequest, {
        maxBytes: captioners.limits.maxBodyBytes,
        files: { image: MAX_PICTURES },
        codes: true,
        videos: true,
      });
      checkOneWay(upload);
      const models = captioners.captioner(upload.fields.model);
      chosenAdapter(models, upload.fields.adapter);
      const run = await begin(c, captioners, upload, models);
      if (type === "text/event-stream") return await eventStream(c, run.events);
      const answered = await run.finish();
      const headers = { "server-timing": serverTiming(answered.timings) };
      return type === "text/plain"
        ? c.text(`${answered.text}\n`, 200, headers)
        : c.json(answered, 200, headers);
    },
  );
}

async function begin(
  c: Context<AppEnv>,
  captioners: Captioners,
  upload: Upload<CaptionRequest>,
  models: ModelPair,
): Promise<CaptioningRun> {
  const call = c.get("call");
  const { decode } = upload.fields;
  const options = { decode, call };
  const { vision } = models;
  const pictures = await questionGrids(
    c.req.raw,
    upload,
    vision,
    captioners,
    options,
  );
  return startCaptioning(captioners, upload.fields, pictures, call);
}
