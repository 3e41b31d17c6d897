/**
 * The routes of OpenAI's clients. Their `GET /v1/models` is the common one.
 *
 * @module
 */

import type { Hono } from "hono";
import type { AppEnv } from "../../http/context.ts";
import type { FunctionName } from "../../schema/common.ts";
import type { Captioners, ImageGenerators } from "../../models/ports.ts";
import { chat } from "./chat.ts";
import { edits } from "./images/edits.ts";
import { images } from "./images/images.ts";
import { responses } from "./responses.ts";
import { variations } from "./images/variations.ts";

/** A route, and the function behind it. */
export interface OpenAIRoute {
  /** Path of the route. */
  readonly path: string;
  /** Function that the route needs; without it, the route is disabled. */
  readonly needs: FunctionName;
  /** Returns the route, ready to mount. */
  readonly route: () => Hono<AppEnv>;
}

/** Returns the routes of a server with these functions. */
export function openaiRoutes(
  services: ImageGenerators & Captioners,
  functions: ReadonlySet<FunctionName>,
): readonly OpenAIRoute[] {
  const describer = functions.has("caption") ? services : undefined;
  return [
    {
      path: "/v1/images/generations",
      needs: "generate",
      route: () => images(services),
    },
    {
      path: "/v1/images/edits",
      needs: "generate",
      route: () => edits(services),
    },
    {
      path: "/v1/images/variations",
      needs: "generate",
      route: () => variations(services, describer),
    },
    {
      path: "/v1/chat/completions",
      needs: "caption",
      route: () => chat(services),
    },
    {
      path: "/v1/responses",
      needs: "caption",
      route: () => responses(services),
    },
  ];
}
