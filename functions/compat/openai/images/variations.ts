/**
 * The route `POST /v1/images/variations`: a picture → others like it, for
 * OpenAI's clients.
 *
 * @module
 */

import { Hono } from "hono";
import type { AppEnv } from "../../../http/context.ts";
import { variationsDescription } from "../../../openapi/description/edits.ts";
import { startGeneration } from "../../../inference/generation.ts";
import type { Captioners, ImageGenerators } from "../../../models/ports.ts";
import { serverTiming } from "../../../http/server_timing.ts";
import { readUpload } from "../../../http/upload.ts";
import { imagesAnswer } from "./image_fields.ts";
import { SOURCE_FILES } from "./source_picture.ts";
import { urlsFor } from "./kept_pictures.ts";
import { unixSeconds } from "../schema.ts";
import {
  variationFields,
  VariationRequest,
  wantedVariation,
} from "./variation_request.ts";

/**
 * Returns the route, ready to mount.
 *
 * @param describer Describes pictures; undefined where no model answers.
 */
export function variations(
  generators: ImageGenerators,
  describer: Captioners | undefined,
): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/images/variations",
    variationsDescription,
    async (c) => {
      const upload = await readUpload(c.req.raw, VariationRequest, {
        maxBytes: generators.limits.maxBodyBytes,
        files: SOURCE_FILES,
        codes: false,
      });
      const { fields } = upload;
      const frame = {
        created: unixSeconds(),
        outputFormat: fields.output_format,
      };
      const call = c.get("call");
      const models = {
        generator: generators.imageGenerator(fields.model),
        describer,
      };
      const { request, wanted, variation } = await wantedVariation(
        generators,
        upload,
        models,
        call,
      );
      const run = startGeneration(generators, request, wanted, call);
      const generation = await run.finish();
      const answer = {
        ...imagesAnswer(
          run,
          frame,
          generation,
          urlsFor(c, fields.response_format),
        ),
        variation: variationFields(variation),
      };
      return c.json(answer, 200, {
        "server-timing": serverTiming(generation.timings),
      });
    },
  );
}
