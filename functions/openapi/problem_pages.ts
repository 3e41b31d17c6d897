/**
 * The problem pages at `/problems` and `/problems/{code}`: the target of a
 * problem's `type`, as HTML, Markdown or JSON.
 *
 * @module
 */

import { Hono } from "hono";
import { html } from "hono/html";
import type { AppEnv } from "../http/context.ts";
import { describe, header, json } from "./description/describe.ts";
import { negotiate } from "../http/accept.ts";
import {
  isProblemCode,
  type ProblemCode,
  problemPath,
  PROBLEMS,
} from "../http/errors/problems.ts";
import { NotFoundError } from "../http/errors/errors.ts";
import {
  ProblemPageAnswer,
  ProblemPagesAnswer,
} from "../schema/problem_pages.ts";

/** The media types of the pages, the default first. */
const TYPES = ["application/json", "text/html", "text/markdown"] as const;

const TEXTS = {
  "text/html": { schema: { type: "string" } },
  "text/markdown": { schema: { type: "string" } },
} as const;

const HEADERS = {
  "Vary": header("The format depends on the Accept header.", "string"),
} as const;

const listDescription = describe({
  id: "listProblems",
  tag: "documentation",
  open: true,
  summary: "List all problem types",
  answers: {
    200: {
      description: "All problem types",
      content: { ...json(ProblemPagesAnswer), ...TEXTS },
      headers: HEADERS,
      links: {
        problem: {
          operationId: "getProblem",
          parameters: { code: "$response.body#/data/0/code" },
        },
      },
    },
  },
  problems: ["not-acceptable"],
});

const oneDescription = describe({
  id: "getProblem",
  tag: "documentation",
  open: true,
  summary: "Get a problem type with its meaning and remedy",
  parameters: [{
    in: "path",
    name: "code",
    required: true,
    description: "Code of the problem, the last segment of its type.",
    schema: { type: "string" },
    example: "overloaded",
  }],
  answers: {
    200: {
      description: "The problem type",
      content: { ...json(ProblemPageAnswer), ...TEXTS },
      headers: HEADERS,
    },
  },
  problems: ["not-found", "not-acceptable"],
});

/** Returns the routes, ready to mount. */
export function problemPages(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/problems", listDescription, (c) => {
      const type = negotiate(c.req.header("accept"), TYPES);
      const codes = Object.keys(PROBLEMS).filter(isProblemCode);
      c.header("vary", "accept");
      switch (type) {
        case "application/json":
          return c.json({
            data: codes.map((code) => fields(code, c.get("pageBase"))),
          });
        case "text/html":
          return c.html(page("Problems", codes.map(section)));
        case "text/markdown":
          return c.body(codes.map(markdown).join("\n"), 200, MARKDOWN);
      }
    })
    .get("/problems/:code", oneDescription, (c) => {
      const type = negotiate(c.req.header("accept"), TYPES);
      const code = c.req.param("code");
      if (!isProblemCode(code)) {
        throw new NotFoundError(
          "Cannot find problem: see /problems for all codes",
        );
      }
      c.header("vary", "accept");
      switch (type) {
        case "application/json":
          return c.json(fields(code, c.get("pageBase")));
        case "text/html":
          return c.html(page(PROBLEMS[code].title, [section(code)]));
        case "text/markdown":
          return c.body(markdown(code), 200, MARKDOWN);
      }
    });
}

const MARKDOWN = { "content-type": "text/markdown; charset=utf-8" };

/** Returns the fields of a kind; its `type` equals that of its problems. */
function fields(code: ProblemCode, pageBase: string) {
  const type = `${pageBase}${problemPath(code)}`;
  return { type, code, ...PROBLEMS[code] };
}

function markdown(code: ProblemCode): string {
  const { status, title, meaning, remedy } = PROBLEMS[code];
  return `# ${title}\n\n\`${code}\`, status ${status}\n\n${meaning}\n\nRemedy: ${remedy}\n`;
}

function section(code: ProblemCode) {
  const { status, title, meaning, remedy } = PROBLEMS[code];
  return html`
    <section id="${code}">
      <h2><a href="${problemPath(code)}">${title}</a></h2>
      <p><code>${code}</code>, status ${status}</p>
      <p>${meaning}</p>
      <p><strong>Remedy:</strong> ${remedy}</p>
    </section>
  `;
}

function page(title: string, sections: readonly ReturnType<typeof section>[]) {
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${title}: Emu3</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/page/style/base.css">
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p>
                <a href="/problems">All problems</a>,
                <a href="/docs">API reference</a>
              </p>
        </header>
        <main>${sections}</main>
      </body>
    </html>
  `;
}
