/**
 * The environment variables of limits: on callers, connections, bodies and
 * images.
 *
 * @module
 */

import { DEFAULT_MAX_FRAMES } from "../inference/frame_limit.ts";
import { rateLimit } from "../middleware/rate_limit.ts";
import { MOST_FRAMES } from "../schema/common.ts";
import { count, type Variable, whole } from "./variable_parsers.ts";

const MEBIBYTE = 2 ** 20;

/** The variables, in the order that `--help` lists them. */
export const LIMIT_VARIABLES = {
  RATE_LIMIT: {
    meaning:
      "rate limit of POST and PUT requests per key, or per address without keys: 10/s, 60/m, 1000/h, …",
    fallback: "no limit",
    parse: rateLimit,
  },
  QUEUE_LIMIT: {
    ...count(
      "requests that one caller may have waiting; all callers together may have a third more",
      "32",
      1,
    ),
    parse: (text) => whole(text, 1) ?? 32,
  },
  MAX_CONNECTIONS: {
    ...count("open connections per client address", "1024", 1),
    parse: (text) => whole(text, 1) ?? 1024,
  },
  MAX_BODY_BYTES: {
    ...count(
      "maximum size of a request body, in bytes",
      `${32 * MEBIBYTE} (32 MiB)`,
      1,
    ),
    parse: (text) => whole(text, 1) ?? 32 * MEBIBYTE,
  },
  BODY_BYTES: count(
    "maximum size of all request bodies of one caller in progress, in bytes",
    "4 times MAX_BODY_BYTES",
    1,
  ),
  UNREAD_BYTES: {
    ...count(
      "maximum size of responses that one caller has not read yet, in bytes",
      `${128 * MEBIBYTE} (128 MiB)`,
      1,
    ),
    parse: (text) => whole(text, 1) ?? 128 * MEBIBYTE,
  },
  MAX_PIXELS: count(
    "maximum number of pixels of an image, or of all frames of an animation; clips that are made have at most 4.6 times as many",
    "64000000, less if that many would take more than half of the memory",
    1,
  ),
  MAX_FRAMES: {
    meaning:
      `maximum number of frames of a clip or an animation, up to ${MOST_FRAMES}`,
    fallback: `${DEFAULT_MAX_FRAMES}`,
    parse: (text) => whole(text, 1, MOST_FRAMES) ?? DEFAULT_MAX_FRAMES,
  },
} as const satisfies Record<string, Variable<unknown>>;
