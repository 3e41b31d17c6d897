/** The caller with a key, beside another that floods. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { apiKeys } from "../../functions/middleware/api_keys.ts";
import { json, openTinyServer } from "../support/tiny_server.ts";

const one = { authorization: "Bearer one" };
const two = { authorization: "Bearer two" };
const keys = apiKeys("one,two");
const picture = { prompt: "a", height: 64, width: 64 };
/** A picture of 600 steps, which is not done before all jobs are accepted. */
const long = { prompt: "a", height: 192, width: 192 };
const small = { prompt: "b", height: 16, width: 16, seed: 1 };

Deno.test("limitConcurrency() does not delay a key while another fills its share", async () => {
  await using server = await openTinyServer(
    { slots: 2, queueLimit: 4 },
    { apiKeys: keys, maxRequests: 6 },
  );
  const { app } = server;
  const ended: string[] = [];
  const ask = async (name: string, headers: Record<string, string>) => {
    const body = name === "one" ? picture : small;
    const answer = await app.request("/v1/generate", json(body, headers));
    await answer.body?.cancel();
    if (answer.ok) ended.push(name);
    return answer;
  };
  const flood = Array.from({ length: 30 }, () => ask("one", one));
  // Refusals come before the first picture does.
  const refused = await Promise.race(flood);
  strictEqual(refused.status, 503);
  ok(Number(refused.headers.get("retry-after")) >= 1);
  strictEqual((await ask("two", two)).status, 200);
  ok(ended.indexOf("two") <= 2, `${ended}`);
  const statuses = (await Promise.all(flood)).map(({ status }) => status);
  const taken = statuses.filter((status) => status === 200).length;
  ok(taken >= 4 && taken <= 6, `${taken}`);
});

Deno.test("JobRunner neither refuses nor delays the jobs of another key", async () => {
  await using server = await openTinyServer(
    { slots: 2, queueLimit: 4 },
    { apiKeys: keys, maxRequests: 6 },
  );
  const { app, jobs } = server;
  const later = { prefer: "respond-async" };
  const submit = async (headers: Record<string, string>) => {
    const init = json(
      headers === one ? long : small,
      { ...headers, ...later },
    );
    const answer = await app.request("/v1/generate", init);
    const { id } = await answer.json();
    return { status: answer.status, id };
  };
  const first = await Promise.all(
    Array.from({ length: 12 }, () => submit(one)),
  );
  const accepted = first.filter(({ status }) => status === 202);
  deepStrictEqual(
    new Set(first.map(({ status }) => status)),
    new Set([202, 503]),
  );
  const mine = await submit(two);
  strictEqual(mine.status, 202);
  await jobs.runner.settled(mine.id, new AbortController().signal);
  const done = accepted.filter(({ id }) =>
    jobs.store.find(id)!.status === "succeeded"
  );
  ok(done.length <= 3, `${done.length} of ${accepted.length} came first`);
});

Deno.test("POST /v1/detokenize alternates between the pictures of two keys", async () => {
  await using server = await openTinyServer({}, {
    apiKeys: keys,
    maxRequests: 40,
  });
  const { app } = server;
  const codes = Array.from({ length: 8 }, () => new Array(8).fill(1));
  const grid = { height: 8, width: 8, codes };
  const done: string[] = [];
  const ask = async (name: string, headers: Record<string, string>) => {
    const init = json({ grid }, { ...headers, accept: "image/jpeg" });
    const answer = await app.request("/v1/detokenize", init);
    await answer.body?.cancel();
    strictEqual(answer.status, 200);
    done.push(name);
  };
  await Promise.all([
    ...Array.from({ length: 30 }, () => ask("one", one)),
    ask("two", two),
  ]);
  ok(done.indexOf("two") < 15, `${done}`);
});
