/**
 * The document `/openapi.json`: every described route of an application, made
 * from the schemas on the first request.
 *
 * `description/describe.ts` adds a route to it.
 *
 * @module
 */

import { Hono } from "hono";
import { generateSpecs } from "hono-openapi";
import type { AppEnv } from "../http/context.ts";
import { describe, TAGS } from "./description/describe.ts";
import { eventSchemas } from "./description/events.ts";
import { VERSION } from "../../lib/version.ts";

/** An OpenAPI document. */
export type OpenApiDocument = Awaited<ReturnType<typeof generateSpecs>>;

const description = describe({
  id: "getOpenApi",
  tag: "documentation",
  open: true,
  summary: "OpenAPI document",
  answers: {
    200: {
      description: "OpenAPI 3.1",
      content: { "application/json": { schema: { type: "object" } } },
    },
  },
  problems: [],
});

/** Returns the route, ready to mount. */
export function openapi(app: Hono<AppEnv>): Hono<AppEnv> {
  // Serialized once: half a megabyte takes milliseconds.
  let bytes: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return new Hono<AppEnv>().get("/openapi.json", description, async (c) => {
    bytes ??= openApiDocument(app).then((document) =>
      new TextEncoder().encode(JSON.stringify(document))
    );
    return c.body(await bytes, 200, {
      "content-type": "application/json",
      "cache-control": "no-cache",
    });
  });
}

/** Returns the OpenAPI document of `app`. */
export async function openApiDocument(
  app: Hono<AppEnv>,
): Promise<OpenApiDocument> {
  const document = await generateSpecs(app, {
    // Paths such as this one's look like files.
    excludeStaticFile: false,
    documentation: {
      info: {
        title: "Emu3",
        version: VERSION,
        summary: "Conversions between text, images and codes",
        description: ABOUT,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      tags: Object.entries(TAGS)
        .map(([name, description]) => ({ name, description })),
      // A server without API_KEYS requires no key.
      security: [{}, { bearer: [] }],
      components: {
        securitySchemes: {
          bearer: {
            type: "http",
            scheme: "bearer",
            description: "API key, required if the server has API_KEYS.",
          },
        },
        schemas: eventSchemas(),
      },
    },
  });
  removeDeadLinks(document);
  return document;
}

/**
 * Removes links to routes that are disabled.
 *
 * @param document Document to change in place.
 */
function removeDeadLinks(document: OpenApiDocument): void {
  const operations = Object.values(document.paths ?? {})
    .flatMap((item) => METHODS.map((method) => item?.[method]))
    .filter((operation) => operation !== undefined);
  const ids = new Set(operations.map(({ operationId }) => operationId));
  for (const { responses = {} } of operations) {
    for (const response of Object.values(responses)) {
      if ("$ref" in response || response.links === undefined) continue;
      response.links = Object.fromEntries(
        Object.entries(response.links).filter(([, link]) =>
          "operationId" in link && ids.has(link.operationId)
        ),
      );
    }
  }
}

const METHODS = ["get", "post", "put", "delete"] as const;

const ABOUT =
  `Emu3 generates images from prompts, describes images, answers questions about them, and converts images and clips to codes and back.

Unknown fields are refused by name. Limits that depend on the model (sizes in whole codes, the codebook, the context length) are checked as well and fail with 422, although the schemas here cannot state them. Every error is a problem document (RFC 9457) whose \`type\` links to [a page with its remedy](/problems).

Every request may have an \`X-Request-Id\`, which the response repeats, and a \`traceparent\` (W3C Trace Context), which the response continues.`;
