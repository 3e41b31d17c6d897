/**
 * The `caption_image` tool: pictures and a question → text.
 *
 * @module
 */

import * as v from "valibot";
import { startCaptioning } from "../../inference/captioning.ts";
import type { Captioners } from "../../models/ports.ts";
import { checkOneWay, questionGrids } from "../../inference/image_inputs.ts";
import { CaptionRequest } from "../../schema/caption.ts";
import { defineTool, type Tool } from "./tool.ts";
import type { WireEvent } from "../../http/call.ts";

const Input = v.object(CaptionRequest.entries);

const Output = v.object({
  model: v.string(),
  text: v.pipe(v.string(), v.description("The answer.")),
  "finish_reason": v.picklist(["stop", "length"]),
});

/** Returns the tool that answers questions about pictures. */
export function captionImage(captioners: Captioners): Tool {
  return defineTool({
    name: "caption_image",
    function: "caption",
    title: "Describe an image",
    description:
      "Describes an image with Emu3, or answers a question about it. The image is base64, a data URL, or codes (grid).",
    input: Input,
    output: Output,
    run: async (fields, { call, onProgress }) => {
      const upload = { fields, files: new Map(), codes: undefined };
      checkOneWay(upload);
      const { vision } = captioners.captioner(fields.model);
      const options = { decode: fields.decode, call };
      const request = new Request(NOWHERE);
      const pictures = await questionGrids(
        request,
        upload,
        vision,
        captioners,
        options,
      );
      let progress = 0;
      const onEvent = ({ event }: WireEvent) => {
        if (event !== "delta") return;
        const message = `${++progress} parts of the answer`;
        onProgress({ progress, message });
      };
      const answered = await startCaptioning(captioners, fields, pictures, {
        ...call,
        observer: { ...call.observer, event: onEvent },
      }).finish();
      return {
        pictures: [],
        text: answered.text,
        fields: {
          model: answered.model,
          text: answered.text,
          "finish_reason": answered.finish_reason,
        },
      };
    },
  });
}

/**
 * URL of a placeholder request: its headers would size bare codes, which it
 * lacks.
 */
const NOWHERE = "http://localhost/";
