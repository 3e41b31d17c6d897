/**
 * Shows the reference.
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
  // The list of schemas, and what they consist of, open when asked for.
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 0,
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

/** Swagger UI has dark colors, under this class alone. */
function followColors() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

/** Folds the many answers that tell of problems into a line each. */
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
