/** The access checks of jobs: made once, not again inside. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { apiKeys } from "../../functions/middleware/api_keys.ts";
import { rateLimit } from "../../functions/middleware/rate_limit.ts";
import { json, openTinyServer } from "../support/tiny_server.ts";

const body = { prompt: "a", height: 16, width: 16 };
const one = { authorization: "Bearer one" };
const two = { authorization: "Bearer two" };

Deno.test("JobRunner runs a job without access checks: key and quota were checked at its submission", async () => {
  await using server = await openTinyServer({}, {
    apiKeys: apiKeys("one,two"),
    rateLimit: rateLimit("1/h"),
  });
  const { app } = server;
  const later = json(body, { ...one, prefer: "respond-async" });
  const accepted = await app.request("/v1/generate", later);
  strictEqual(accepted.status, 202);
  const { id } = await accepted.json();
  await server.jobs.runner.settled(id, new AbortController().signal);
  const look = async (headers: Record<string, string>) =>
    (await app.request(`/v1/jobs/${id}`, { headers })).status;
  deepStrictEqual(
    [await look(one), await look(two), await look({})],
    [200, 404, 401],
  );
  strictEqual((await app.request("/v1/generate", later)).status, 429);
  const metrics = await app.request("/metrics", { headers: one });
  const text = await metrics.text();
  const value = (name: string) => {
    const line = text.split("\n").find((line) => line.startsWith(name));
    return Number(line?.split(" ").at(-1));
  };
  strictEqual(value('emu3_phase_seconds_count{phase="decode"}'), 1);
  const posts = text.split("\n").filter((line) =>
    line.startsWith('http_requests_total{method="POST"')
  );
  deepStrictEqual(
    posts.map((line) => /status="(\d+)".* (\d+)$/.exec(line)!.slice(1)).sort(),
    [["202", "1"], ["429", "1"]],
    "what runs inside is no request of its own",
  );
});
