/**
 * The tables of OpenAI's fields on the clients page, against the schemas that
 * parse the bodies.
 *
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { ChatRequest } from "../../../functions/compat/openai/chat_request.ts";
import { EditRequest } from "../../../functions/compat/openai/images/edit_request.ts";
import { ImageRequest } from "../../../functions/compat/openai/images/image_request.ts";
import { VariationRequest } from "../../../functions/compat/openai/images/variation_request.ts";
import { VideoRequest } from "../../../functions/compat/openai/videos/video_request.ts";
import { ResponsesRequest } from "../../../functions/compat/openai/responses_request.ts";

const PAGE = Deno.readTextFileSync(
  new URL("../../../functions/docs/clients.md", import.meta.url),
);

const shared = Object.keys(ImageRequest.entries);

/** Fields that the schema of each route has, without those of its base. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  "/v1/images/generations": shared,
  "/v1/images/edits": without(Object.keys(EditRequest.entries), shared),
  "/v1/images/variations": [
    ...without(Object.keys(VariationRequest.entries), shared),
    "prompt",
  ].filter((field) => !["image", "images"].includes(field)),
  // The flattened form of an object is no field of its own.
  "/v1/videos": Object.keys(VideoRequest.entries)
    .filter((field) => !field.includes("[")),
  "/v1/chat/completions": Object.keys(ChatRequest.entries),
  "/v1/responses": Object.keys(ResponsesRequest.entries),
};

for (const [route, fields] of Object.entries(FIELDS)) {
  Deno.test(`functions/docs/clients.md lists exactly the fields that POST ${route} parses`, () => {
    const rows = rowsOf(route);
    const parsed = rows.filter(({ handling }) => !/^ignored/.test(handling));
    deepStrictEqual(
      parsed.map(({ field }) => field).sort(),
      [...fields].sort(),
    );
    ok(parsed.every(({ handling }) => /taken|refused/.test(handling)));
  });
}

/** Returns the rows of the table below the bold name of `route`. */
function rowsOf(route: string): { field: string; handling: string }[] {
  const [, below = ""] = PAGE.split(`**\`POST ${route}\`**`);
  const table = /^\| field[^]*?\n(?!\|)/m.exec(below)?.[0] ?? "";
  return [...table.matchAll(/^\| `(\w+)` *\| *(.*?) *\|$/gm)]
    .map(([, field = "", handling = ""]) => ({ field, handling }));
}

function without(all: readonly string[], base: readonly string[]): string[] {
  return all.filter((field) => !base.includes(field));
}
