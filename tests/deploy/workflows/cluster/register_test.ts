/**
 * The tests of the registration of the service at a cluster.
 *
 * @module
 */

import { deepStrictEqual, match, ok, rejects } from "node:assert/strict";
import { registerService } from "../../../../deploy/workflows/cluster/register.ts";
import { CHAINS } from "../../../../deploy/workflows/schema/chains.ts";

/** An emulated node: refuses so many requests of a path before it accepts. */
function emulateNode(refusals: (path: string, body: string) => number) {
  const log: string[] = [];
  const seen = new Map<string, number>();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const body = await request.text();
      log.push(`${pathname} ${body}`.trim());
      const count = (seen.get(pathname) ?? 0) + 1;
      seen.set(pathname, count);
      const accepted = count > refusals(pathname, body);
      return accepted
        ? Response.json(null)
        : Response.json({ message: "not yet" }, { status: 503 });
    },
  );
  return {
    log,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const { signal: NEVER } = new AbortController();

Deno.test("registerService() registers once the nodes are there, and waits until each knows every chain", async () => {
  await using admin = emulateNode(() => 2);
  await using early = emulateNode(() => 0);
  await using late = emulateNode(() => 3);
  await registerService({
    service: "http://chains:9080",
    admin: admin.url,
    ingresses: [early.url, late.url],
    intervalMs: 0,
  }, NEVER);
  deepStrictEqual(
    admin.log,
    Array(3).fill('/deployments {"uri":"http://chains:9080","force":true}'),
  );
  const chains = Object.keys(CHAINS);
  for (const chain of chains) {
    ok(early.log.some((line) => line === `/${chain}/registration/status`));
  }
  deepStrictEqual(late.log.length, 4 * chains.length);
});

Deno.test("registerService() ends with the last reason when its time is over", async () => {
  await using admin = emulateNode(() => Infinity);
  const stop = new AbortController();
  const registration = registerService({
    service: "http://chains:9080",
    admin: admin.url,
    ingresses: [],
    intervalMs: 0,
  }, stop.signal);
  while (admin.log.length < 2) await new Promise((done) => setTimeout(done, 1));
  stop.abort();
  await rejects(registration, (error) => {
    match(
      String(error),
      /Cannot register http:\/\/chains:9080 with Restate: not yet/,
    );
    return true;
  });
});

Deno.test("registerService() waits for nodes that refuse connections", async () => {
  const stop = new AbortController();
  const registration = registerService({
    service: "http://chains:9080",
    admin: "http://127.0.0.1:1",
    ingresses: [],
    intervalMs: 0,
  }, stop.signal);
  setTimeout(() => stop.abort(), 50);
  await rejects(registration, /Cannot register http:\/\/chains:9080/);
});
