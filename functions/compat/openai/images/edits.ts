/**
 * The route `POST /v1/images/edits`: a picture, a mask and a prompt → pictures
 * whose masked part is drawn anew, for OpenAI's clients.
 *
 * @module
 */

import { Hono } from "hono";
import type { AppEnv } from "../../../http/context.ts";
import { editsDescription } from "../../../openapi/description/edits.ts";
import { startDrawing } from "../../../inference/generation.ts";
import { eventStream } from "../../../http/sse.ts";
import type { Drawers } from "../../../models/ports.ts";
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
import { unixSeconds } from "../time.ts";

/** Returns the route, ready to mount. */
export function edits(drawers: Drawers): Hono<AppEnv> {
  return new Hono<AppEnv>().post(
    "/v1/images/edits",
    editsDescription,
    async (c) => {
      const upload = await readUpload(c.req.raw, EditRequest, {
        maxBytes: drawers.limits.maxBodyBytes,
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
      const drawer = drawers.drawer(fields.model);
      const edit = await wantedEdit(drawers, upload, drawer, call);
      const run = startDrawing(drawers, edit.request, edit.wanted, call);
      if (fields.stream) {
        return await eventStream(c, imageEvents(run.progress, frame));
      }
      const drawing = await run.finish();
      const answer = {
        ...imagesAnswer(
          run,
          frame,
          drawing,
          urlsFor(c, fields.response_format),
        ),
        edit: editFields(edit.keep),
      };
      return c.json(answer, 200, {
        "server-timing": serverTiming(drawing.timings),
      });
    },
  );
}
