import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  checkAliases,
  modelAliases,
} from "../../../functions/models/model_aliases.ts";
import { json, openTinyServer } from "../../support/tiny_server.ts";

Deno.test("modelAliases() parses pairs, with or without spaces", () => {
  const text = " gpt-image-1 = emu3-mini ,a/b=emu3-mini,";
  deepStrictEqual([...modelAliases(text)], [
    ["gpt-image-1", "emu3-mini"],
    ["a/b", "emu3-mini"],
  ]);
  strictEqual(modelAliases(undefined).size, 0);
});

Deno.test("modelAliases() refuses malformed pairs, and an alias given twice", () => {
  for (const text of ["a", "=b", "a=", "a=b=c", "a=b,a=c"]) {
    throws(() => modelAliases(text), SyntaxError);
  }
  throws(() => modelAliases(`${"a".repeat(257)}=b`), SyntaxError);
});

Deno.test("checkAliases() refuses an alias without a target or with a model's name", () => {
  const names = ["a", "b"];
  checkAliases(undefined, names);
  checkAliases(new Map([["c", "a"], ["d", "b"]]), names);
  throws(
    () => checkAliases(new Map([["c", "x"]]), names),
    /"c" refers to "x", but models are "a", "b"/,
  );
  throws(
    () => checkAliases(new Map([["a", "b"]]), names),
    /"a" is also the name of a model; use another alias/,
  );
});

Deno.test("App accepts an alias of a model on every API", async () => {
  const alias = "gpt-image-1";
  await using server = await openTinyServer({
    aliases: new Map([[alias, "emu3-tiny"]]),
  });
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await server.app.request(path, init);
    return { status: answer.status, body: await answer.json() };
  };
  const { body: list } = await ask("/v1/models");
  deepStrictEqual(list.data[0].aliases, [alias]);
  strictEqual((await ask(`/v1/models/${alias}`)).body.id, "emu3-tiny");
  strictEqual((await ask(`/models/anybody/${alias}`)).status, 200);
  const drawing = { prompt: "a fox", model: alias };
  const small = { ...drawing, height: 16, width: 16 };
  strictEqual((await ask("/v1/generate", json(small))).body.model, "emu3-tiny");
  const images = await ask("/v1/images/generations", json(drawing));
  strictEqual(images.body.model, "emu3-tiny");
  const predicted = await ask(
    `/models/anybody/${alias}/predictions`,
    json({ input: { prompt: "a fox" } }, { prefer: "wait" }),
  );
  strictEqual(predicted.body.status, "succeeded");
  const unknown = await ask(
    "/v1/images/generations",
    json({ ...drawing, model: "dall-e-3" }),
  );
  strictEqual(unknown.status, 404);
  strictEqual(
    unknown.body.detail,
    'Cannot find model "dall-e-3": models of this function are "emu3-tiny", "gpt-image-1"',
  );
});
