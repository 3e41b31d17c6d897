/**
 * The entry of the API reference: starts Swagger UI.
 *
 * @module
 */

/** A link in Markdown. */
const LINK = /\[([^\]]+)\]\([^)]*\)/g;

const BOTH = "application/json, text/event-stream";

const dark = matchMedia("(prefers-color-scheme: dark)");
followColors();
dark.addEventListener("change", followColors);

globalThis.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  requestInterceptor: accepting,
  plugins: [foldingPlugin],
  // Schemas are listed, and expanded on click.
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 0,
  // All requests go to this origin, so Swagger's online validator is off.
  validatorUrl: null,
});

/**
 * Sets the Accept header: clients of MCP must accept both types, and the form
 * lets users choose only one.
 */
function accepting(request) {
  if (!request.url.endsWith("/mcp")) return request;
  const headers = { ...request.headers, Accept: BOTH };
  return { ...request, headers };
}

/** Switches dark colors by the class that Swagger UI reads. */
function followColors() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

/** Collapses problem answers into a line each. */
function foldingPlugin({ React }) {
  return {
    wrapComponents: {
      response: (Response) =>
        function FoldedResponse(props) {
          const [open, setOpen] = React.useState(`${props.code}`[0] === "2");
          return open
            ? React.createElement(Response, props)
            : foldedRow(React, props, () => setOpen(true));
        },
    },
  };
}

function foldedRow({ createElement }, { code, response }, unfold) {
  const description = response?.get?.("description") ?? "";
  const text = `${code} ${description.replaceAll(LINK, "$1")}`;
  const button = createElement(
    "button",
    { type: "button", className: "folded-response", onClick: unfold },
    text,
  );
  return createElement(
    "tr",
    { className: "response" },
    createElement("td", { colSpan: 3, className: "folded" }, button),
  );
}
