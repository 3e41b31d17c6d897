/** Shows the reference. */

globalThis.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // Nothing is asked of another origin, not even whether the document is valid.
  validatorUrl: null,
});
