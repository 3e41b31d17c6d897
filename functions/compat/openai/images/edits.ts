/**
 * The route `POST /v1/images/edits`: a picture, a mask and a prompt → pictures
 * whose masked part is drawn anew, for OpenAI's clients.
 *
 * @module
 */

import { Hono } from "hono";
import type { AppEnv } from "../../../http/context.ts";
import { editsDescription } from "../../../openapi/description/edits.ts";
import { startGeneration } from "../../../inference/generation.ts";
import { eventStream } from "../../../http/sse.ts";
import type { ImageGenerators } from "../../../models/ports.ts";
import { serverTiming } from "../../../http/server_timing.ts";
import { readUpload } from "../../../http/upload.ts";
import {
  EDIT_FILES,
  editFields,
  EditRequest,
  wantedEdit,
} from "./edit_request.ts";
import { imageEvents, imagesAnswer } from "./image_fields.ts";
import { urlsFor } from "./kept_pictures.ts";
import { unixSeconds } from "../schema.ts";

/** Returns the route, ready to mount. */
export function edits(generators: ImageGenerators): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/images/edits",
    editsDescription,
    async (c) => {
      const upload = await readUpload(c.req.raw, EditRequest, {
        maxBytes: generators.limits.maxBodyBytes,
        files: EDIT_FILES,
        codes: false,
      });
      const { fields } = upload;
      const frame = {
        created: unixSeconds(),
        outputFormat: fields.output_format,
        kind: "image_edit",
      } as const;
      const call = c.get("call");
      const generator = generators.imageGenerator(fields.model);
      const edit = await wantedEdit(generators, upload, generator, call);
      const run = startGeneration(generators, edit.request, edit.wanted, call);
      if (fields.stream) {
        return await eventStream(c, imageEvents(run.progress, frame));
      }
      const generation = await run.finish();
      const answer = {
        ...imagesAnswer(
          run,
          frame,
          generation,
          urlsFor(c, fields.response_format),
        ),
        edit: editFields(edit.keep),
      };
      return c.json(answer, 200, {
        "server-timing": serverTiming(generation.timings),
      });
    },
  );
}
