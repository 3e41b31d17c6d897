/**
 * The route `POST /v1/images/generations`: text → pictures, for OpenAI's
 * clients.
 *
 * @module
 */

import { Hono } from "hono";
import { readJson } from "../../../http/body.ts";
import type { AppEnv } from "../../../http/context.ts";
import { imagesDescription } from "../../../openapi/description/openai.ts";
import { startGeneration } from "../../../inference/generation.ts";
import { eventStream } from "../../../http/sse.ts";
import type { ImageGenerators } from "../../../models/ports.ts";
import { serverTiming } from "../../../http/server_timing.ts";
import { imageEvents, imagesAnswer } from "./image_fields.ts";
import { ImageRequest, wantedGeneration } from "./image_request.ts";
import { urlsFor } from "./kept_pictures.ts";
import { unixSeconds } from "../schema.ts";

/** Returns the route, ready to mount. */
export function images(generators: ImageGenerators): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/images/generations",
    imagesDescription,
    async (c) => {
      const { maxBodyBytes } = generators.limits;
      const body = await readJson(c.req.raw, ImageRequest, maxBodyBytes);
      const frame = {
        created: unixSeconds(),
        outputFormat: body.output_format,
      };
      const models = generators.imageGenerator(body.model);
      const { request, wanted } = wantedGeneration(body, models);
      const run = startGeneration(generators, request, wanted, c.get("call"));
      if (body.stream) {
        return await eventStream(c, imageEvents(run.progress, frame));
      }
      const generation = await run.finish();
      const toUrl = urlsFor(c, body.response_format);
      return c.json(imagesAnswer(run, frame, generation, toUrl), 200, {
        "server-timing": serverTiming(generation.timings),
      });
    },
  );
}
