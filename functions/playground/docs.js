/**
 * Shows the reference.
 *
 * @module
 */

const BOTH = "application/json, text/event-stream";

globalThis.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  requestInterceptor: accepting,
  // Nothing is asked of another origin, not even whether the document is valid.
  validatorUrl: null,
});

/**
 * Clients of MCP have to accept both types, and forms let choose but one of
 * those that an answer may have.
 */
function accepting(request) {
  if (!request.url.endsWith("/mcp")) return request;
  const headers = { ...request.headers, Accept: BOTH };
  return { ...request, headers };
}
