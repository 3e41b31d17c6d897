/** The laws of `keep` of `POST /v1/generate`: codes that stay. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { STRATEGY_NAMES } from "../../../lib/drawing/strategy.ts";
import { readPng } from "../../../functions/playground/logic/png_text.js";
import { describedBy } from "../../support/described.ts";
import {
  json,
  openTinyServer,
  parseEvents,
} from "../../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { check } = await describedBy(server.app);

/** Fields of a fast generation of three by three codes. */
const small = { prompt: "a fox", seed: 5 };
const size = { height: 24, width: 24 };
const keep = { codes: [[1, 2, 3], [4, null, 6], [7, 8, null]] };
const nothing = { codes: Array.from({ length: 3 }, () => [null, null, null]) };

async function generate(body: object, accept = "application/json") {
  return await server.app.request("/v1/generate", json(body, { accept }));
}

/** Returns the codes that `body` draws. */
async function codesOf(body: object): Promise<number[][]> {
  const answer = await generate(body);
  strictEqual(answer.status, 200, await answer.clone().text());
  return (await answer.json()).images[0].grid.codes;
}

Deno.test("POST /v1/generate preserves the codes of keep, in every strategy", async () => {
  for (const strategy of STRATEGY_NAMES) {
    const codes = await codesOf({ ...small, keep, strategy, n: 1 });
    for (const [y, row] of keep.codes.entries()) {
      for (const [x, code] of row.entries()) {
        if (code !== null) strictEqual(codes[y]![x], code);
      }
    }
  }
});

Deno.test("POST /v1/generate draws the same with an empty keep as without", async () => {
  for (const strategy of STRATEGY_NAMES) {
    deepStrictEqual(
      await codesOf({ ...small, keep: nothing, strategy }),
      await codesOf({ ...small, ...size, strategy }),
    );
  }
});

Deno.test("POST /v1/generate draws the same after kept rows as after a prefix", async () => {
  const rows = [[1, 2, 3]];
  const after = [...rows, [null, null, null], [null, null, null]];
  deepStrictEqual(
    await codesOf({ ...small, keep: { codes: after } }),
    await codesOf({ ...small, ...size, prefix: { codes: rows } }),
  );
});

Deno.test("POST /v1/generate stores kept codes in a PNG, which reproduces the picture", async () => {
  const file = await (await generate({ ...small, keep }, "image/png")).bytes();
  const { parameters } = (await readPng(file))!.texts;
  const told = JSON.parse(parameters!);
  deepStrictEqual(told.keep, { height: 3, width: 3, ...keep });
  const again = { ...small, keep: told.keep };
  deepStrictEqual(await (await generate(again, "image/png")).bytes(), file);
  const jpeg = await (await generate({ ...small, keep }, "image/jpeg")).bytes();
  match(new TextDecoder().decode(jpeg), /&quot;kept_codes&quot;:7/);
});

Deno.test("POST /v1/generate reports rows from the first with a code to draw", async () => {
  const answer = await generate({ ...small, keep }, "text/event-stream");
  const events = parseEvents(await answer.clone().text());
  strictEqual(events.find(({ event }) => event === "started")!.data.rows, 2);
  const rows = events.filter(({ event }) => event === "row");
  deepStrictEqual(rows.map(({ data }) => data.index), [1, 2]);
  await check("POST", "/v1/generate", answer);
});

Deno.test("POST /v1/generate also scores kept codes on request", async () => {
  const answer = await generate({ ...small, keep, logprobs: 2 });
  const { images } = await answer.clone().json();
  for (const { logprobs } of images[0].rows) strictEqual(logprobs.length, 3);
  await check("POST", "/v1/generate", answer);
});

Deno.test("POST /v1/generate refuses an invalid keep, naming the field", async () => {
  const whole = { codes: [[1, 2], [3, 4]] };
  for (
    const [pointer, body] of [
      ["/keep/codes", { keep: whole }],
      ["/keep/codes/1", { keep: { codes: [[1, null], [3]] } }],
      ["/keep/codes/0/1", { keep: { codes: [[null, 60000]] } }],
      ["/keep/codes/0/0", { keep: { codes: [["a", null]] } }],
      ["/keep/height", { keep: { ...keep, height: 4 } }],
      ["/prefix", { keep, prefix: { codes: [[1, 2, 3]] } }],
      ["/ratio", { keep, ratio: "1:1" }],
      ["/image_area", { keep, "image_area": 576 }],
      ["/height", { keep, height: 32 }],
      ["/width", { keep, width: 32 }],
    ] as const
  ) {
    const answer = await generate({ ...small, ...body });
    strictEqual(answer.status, 422, pointer);
    strictEqual((await answer.json()).errors[0].pointer, pointer);
  }
  ok((await generate({ ...small, ...size, keep })).ok, "sizes may agree");
});
