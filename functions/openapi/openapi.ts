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
  summary: "This document",
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
        summary: "Text, pictures and codes, each into each other",
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
            description: "One of API_KEYS, where the server has any.",
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
  `Emu3 draws pictures from sentences, describes pictures, answers questions about them, and turns pictures and clips into codes and back.

An unknown field is refused with its name. What depends on the model (sizes in whole codes, codes of its codebook, the length of its context) is refused with 422 as well, although no schema here can say so. Every error is a problem document (RFC 9457) whose \`type\` is [a page that says what to do](/problems).

Every request may carry an \`X-Request-Id\`, which comes back, and a \`traceparent\` (W3C Trace Context): the answer then tells its place in that trace.`;
