/**
 * The laws of a draining server, as seen by its clients and probes.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHealthApp } from "../../../functions/app.ts";
import { Drain } from "../../../functions/middleware/drain.ts";
import { describedBy, type Json } from "../../support/described.ts";
import { listen } from "../../support/tiny_http.ts";
import { appOptions, json, openTinyServer } from "../../support/tiny_server.ts";

const drain = new Drain();
const server = await openTinyServer({}, { drain });
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { app, services, trace } = server;
const { options } = appOptions({ drain });
const healthApp = createHealthApp(services, options);

async function metric(): Promise<string> {
  const text = await (await app.request("/metrics")).text();
  return /^emu3_draining (\d)$/m.exec(text)![1]!;
}

/**
 * Sends one request over a kept connection; returns all bytes until it closes.
 */
async function askAndWait(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const request =
    "POST /v1/score HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";
  const part = new Uint8Array(2 ** 16);
  let text = "";
  await connection.write(new TextEncoder().encode(request));
  for (;;) {
    const length = await connection.read(part);
    if (length === null) return text;
    text += new TextDecoder().decode(part.subarray(0, length));
  }
}

const job = json({ prompt: "a fox", height: 32, width: 32 }, {
  prefer: "respond-async",
});

// Before it drains; tests run in order.
Deno.test("Drain reports a server that is not draining as ready", async () => {
  strictEqual(await metric(), "0");
  strictEqual((await app.request("/readyz")).status, 200);
  strictEqual((await app.request("/livez")).headers.get("connection"), null);
});

Deno.test("Drain reports a draining server as live, but not ready", async () => {
  const finished = await (await app.request("/v1/generate", job)).json();
  drain.begin();
  for (const served of [app, healthApp]) {
    const statuses: Record<string, [number, unknown]> = {};
    for (const path of ["/livez", "/readyz", "/ping", "/health"]) {
      const answer = await served.request(path);
      statuses[path] = [answer.status, (await answer.json()).status];
      strictEqual(answer.headers.get("connection"), "close", path);
    }
    deepStrictEqual(statuses, {
      "/livez": [200, "alive"],
      "/readyz": [503, "draining"],
      "/ping": [503, "draining"],
      "/health": [503, "draining"],
    });
  }
  strictEqual((await app.request("/v2/health/live")).status, 200);
  strictEqual((await app.request("/v2/health/ready")).status, 503);
  strictEqual((await app.request("/v2/models/generate/ready")).status, 503);
  const cog = await (await app.request("/health-check")).json();
  strictEqual(cog.status, "BUSY");
  strictEqual(await metric(), "1");
  // Existing jobs can still be read and canceled.
  strictEqual((await app.request(`/v1/jobs/${finished.id}`)).status, 200);
  const gone = await app.request(`/v1/jobs/${finished.id}`, {
    method: "DELETE",
  });
  strictEqual(gone.status, 200);
});

Deno.test("Drain refuses new work as described, on every route", async () => {
  const { document, check } = await describedBy(app);
  let refused = 0;
  for (const [template, methods] of Object.entries<Json>(document.paths)) {
    const path = template.replaceAll(/\{\w+\}/g, "generate");
    for (const name of Object.keys(methods)) {
      const method = name.toUpperCase();
      const answer = await app.request(path, { method });
      const { type = "" } = await answer.clone().json().catch(() => ({}));
      const works = /^(POST|PUT)$/.test(method) && !path.endsWith("/cancel");
      const ready = path === "/v2/models/generate/ready";
      const where = `${method} ${path}`;
      strictEqual(
        type === "/problems/draining",
        works || ready,
        `${where} ${answer.status} ${type}`,
      );
      if (!works) continue;
      strictEqual(answer.headers.get("connection"), "close");
      ok(Number(answer.headers.get("retry-after")) > 0);
      await check(method, path, answer);
      refused++;
    }
  }
  ok(refused > 10, `${refused}`);
  deepStrictEqual(trace.failures, []);
});

Deno.test("Drain refuses work on a kept connection, and closes it", async () => {
  await using http = await listen(app);
  const answers = await askAndWait(http.url);
  strictEqual(answers.match(/HTTP\/1.1 503/g)?.length, 1);
  strictEqual(answers.match(/^connection: close\r$/gmi)?.length, 1);
});

Deno.test("Drain lists work until it is done", () => {
  const drain = new Drain();
  const one = { remainingMs: () => 1, interrupt: () => {} };
  const leave = drain.add(one);
  drain.add({ ...one });
  strictEqual(drain.works[0], one);
  leave();
  leave();
  strictEqual(drain.works.length, 1);
});
