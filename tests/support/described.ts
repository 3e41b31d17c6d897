/**
 * The check of answers against `/openapi.json`.
 *
 * @module
 */

import { Ajv2020 } from "ajv/dist/2020.js";
import { deepStrictEqual, ok } from "node:assert/strict";
import type { Hono } from "hono";
import type { AppEnv } from "../../functions/http/context.ts";

/** JSON value of any shape. */
// deno-lint-ignore no-explicit-any
export type Json = any;

/** The OpenAPI document of an application, and its checks. */
export interface Described {
  /** OpenAPI document. */
  readonly document: Json;
  /**
   * Checks an answer against the description of its route.
   *
   * @param path Path of the request, with its query.
   */
  readonly check: (
    method: string,
    path: string,
    answer: Response,
  ) => Promise<void>;
}

/** Returns the document of `app`. */
export async function describedBy(app: Hono<AppEnv>): Promise<Described> {
  const document: Json = await (await app.request("/openapi.json")).json();
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, "document");
  const validate = (schema: Json, value: unknown, where: string) => {
    const validator = ajv.compile(absolute(schema));
    ok(validator(value), `${where}: ${ajv.errorsText(validator.errors)}`);
  };
  const check: Described["check"] = async (method, path, answer) => {
    const where = `${method} ${path} ${answer.status}`;
    const response = operationOf(document, method, path)
      .responses[`${answer.status}`];
    ok(response, `${where} is not described`);
    checkHeaders(response, answer, where);
    const type = (answer.headers.get("content-type") ?? "").split(";")[0]!;
    deepStrictEqual(type === "", response.content === undefined, where);
    if (response.content === undefined) return;
    ok(type in response.content, `${where}: ${type} is not described`);
    const { schema } = response.content[type];
    if (/\bjson$/.test(type)) validate(schema, await answer.json(), where);
    if (type !== "text/event-stream") return;
    for (const event of eventsIn(await answer.text())) {
      validate(schema, event, where);
      const data = dataSchema(document, schema, event);
      if (data === undefined) continue;
      validate(data, JSON.parse(event.data!), `${where} ${event.event}`);
    }
  };
  return { document, check };
}

function checkHeaders(response: Json, answer: Response, where: string): void {
  for (const [name, { required }] of Object.entries<Json>(response.headers)) {
    ok(!required || answer.headers.has(name), `${where}: no ${name}`);
  }
}

function operationOf(document: Json, method: string, path: string): Json {
  const [bare] = path.split("?");
  // Names of models contain slashes, so the longest template matches.
  const found =
    Object.keys(document.paths).filter((template) =>
      new RegExp(`^${template.replaceAll(/\{\w+\}/g, ".+")}$`).test(bare!)
    ).sort((a, b) => b.length - a.length)[0];
  const operation = document.paths[found ?? ""]?.[method.toLowerCase()];
  ok(operation, `${method} ${path} is not described`);
  return operation;
}

/** Parses the events of a stream into their fields. */
function eventsIn(text: string): Record<string, string>[] {
  return text.split("\n\n").filter((block) => /^\w/.test(block)).map((block) =>
    Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)))
  );
}

/** Returns the schema of an event's data, if it is described. */
function dataSchema(
  document: Json,
  { $ref }: Json,
  { event, data }: Record<string, string>,
): Json {
  if ($ref === undefined) return undefined;
  const { anyOf } = document.components.schemas[$ref.split("/").at(-1)];
  const named = anyOf.map(({ properties }: Json) => properties)
    .filter((properties: Json) => properties.event?.const === event);
  if (named.some((properties: Json) => properties.data.const === data)) return;
  ok(named.length > 0, `${event} is not described`);
  return named[0].data.contentSchema;
}

/** Makes the references of `schema` resolve outside of the document. */
function absolute(schema: Json): Json {
  return JSON.parse(
    JSON.stringify(schema).replaceAll('"$ref":"#', '"$ref":"document#'),
  );
}
