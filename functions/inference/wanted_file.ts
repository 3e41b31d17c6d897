/**
 * The file that a request wants of each picture or clip: by its
 * `output_format`, or by the accepted media type.
 *
 * @module
 */

import { invalidField } from "../http/errors/errors.ts";
import type { GenerateRequest } from "../schema/generate.ts";
import { CLIP_TYPES, type ClipFormat } from "./clips/clip_files.ts";
import { asksForClip } from "./clips/clip_params.ts";
import type { WantedFile } from "./generation_task.ts";
import { FILE_TYPES, type FileFormat } from "./render.ts";

/** The fields that decide which file is wanted. */
type FileRequest = Pick<
  GenerateRequest,
  "output_format" | "frames" | "clip" | "context"
>;

/**
 * Returns the wanted file by the format in the body, PNG and APNG by default.
 *
 * @throws {InvalidFieldsError} If the format is one of the other kind.
 */
export function formatFile(
  request: FileRequest,
): Pick<WantedFile, "file" | "clipType"> {
  const { output_format: format } = request;
  return asksForClip(request)
    ? { file: undefined, clipType: CLIP_TYPES[clipFormat(format ?? "apng")] }
    : { file: FILE_TYPES[pictureFormat(format ?? "png")] };
}

function pictureFormat(
  format: NonNullable<FileRequest["output_format"]>,
): FileFormat {
  if (format in FILE_TYPES) return format as FileFormat;
  throw invalidField(
    "/output_format",
    `${format} is a format of clips: set frames, or use png, jpeg or webp`,
  );
}

function clipFormat(
  format: NonNullable<FileRequest["output_format"]>,
): ClipFormat {
  if (format in CLIP_TYPES) return format as ClipFormat;
  throw invalidField(
    "/output_format",
    `${format} is a format of images: use apng, gif, mp4 or zip for a clip`,
  );
}
