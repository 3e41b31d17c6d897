import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { apiKeys } from "../../../functions/middleware/api_keys.ts";
import { type AppOptions, createApp } from "../../../functions/app.ts";
import {
  MAX_CALLERS,
  rateLimit,
  RateLimiter,
} from "../../../functions/middleware/rate_limit.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { appOptions, json } from "../../support/tiny_server.ts";

const body = { prompt: "a", height: 16, width: 16 };

function appWith(changes: Partial<AppOptions>) {
  const { options } = appOptions({ rateLimit: rateLimit("2/h"), ...changes });
  const app = createApp(fakeServices(runAtOnce), options);
  const ask = (hostname: string, headers: Record<string, string> = {}) => {
    const remoteAddr = { transport: "tcp", hostname, port: 1 } as const;
    return app.request("/v1/generate", json(body, headers), { remoteAddr });
  };
  return { app, ask };
}

Deno.test("rateLimit() parses requests per time", () => {
  deepStrictEqual(rateLimit("10/s"), { quota: 10, windowMs: 1000 });
  deepStrictEqual(rateLimit("60/m"), { quota: 60, windowMs: 60_000 });
  deepStrictEqual(rateLimit("1000/h"), { quota: 1000, windowMs: 3_600_000 });
  deepStrictEqual(rateLimit(undefined), undefined);
  for (const bad of ["0/s", "10", "10/w", "-1/s", "1.5/s", "10/S", "/s"]) {
    throws(() => rateLimit(bad), SyntaxError);
  }
});

Deno.test("RateLimiter admits at most the quota and its refill in any span of time", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.nat(400), { minLength: 1, maxLength: 60 }),
    (quota, pauses) => {
      let now = 0;
      const windowMs = 1000;
      const limiter = new RateLimiter({ quota, windowMs }, () => now);
      const passed = pauses.flatMap((pause) => {
        now += pause;
        return limiter.ask("a").admitted ? [now] : [];
      });
      for (const [i, from] of passed.entries()) {
        for (const [j, to] of passed.slice(i).entries()) {
          const most = quota + quota * (to - from) / windowMs;
          ok(j + 1 <= most + 1e-6, `${j + 1} in ${to - from} ms`);
        }
      }
    },
  ));
});

Deno.test("RateLimiter reports correct remaining and retry values", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.nat(9000), { minLength: 1, maxLength: 40 }),
    (quota, pauses) => {
      let now = 0;
      const limiter = new RateLimiter({ quota, windowMs: 30_000 }, () => now);
      for (const pause of pauses) {
        now += pause;
        const told = limiter.ask("a");
        const then = now;
        if (told.admitted) {
          const fork = Array.from(
            { length: told.remaining },
            () => limiter.ask("a"),
          );
          ok(fork.every(({ admitted }) => admitted), "as many as remain");
          ok(!limiter.ask("a").admitted, "and no more");
        }
        const { retryAfterSeconds } = limiter.ask("a");
        now = then + 1000 * retryAfterSeconds;
        ok(limiter.ask("a").admitted, "after the time that was told");
      }
    },
  ));
});

Deno.test("RateLimiter separates callers, and restores the whole quota", () => {
  let now = 0;
  const limiter = new RateLimiter({ quota: 2, windowMs: 1000 }, () => now);
  deepStrictEqual(
    ["a", "a", "a", "b"].map((caller) => limiter.ask(caller).admitted),
    [true, true, false, true],
  );
  now = 1000;
  strictEqual(limiter.ask("a").remaining, 1);
});

Deno.test("RateLimiter bounds the number of stored callers", () => {
  const limiter = new RateLimiter({ quota: 1, windowMs: 1000 }, () => 0);
  for (let i = 0; i < MAX_CALLERS; i++) limiter.ask(`${i}`);
  ok(!limiter.ask("0").admitted, "it has just asked");
  for (let i = 0; i < 5; i++) limiter.ask(`more ${i}`);
  strictEqual(limiter.callers, MAX_CALLERS);
  ok(!limiter.ask("0").admitted, "who asked last is remembered longest");
  ok(limiter.ask("1").admitted, "who asked least recently is forgotten");
});

Deno.test("limitRate() answers a caller over its quota with 429 and Retry-After", async () => {
  const { app, ask } = appWith({});
  const first = await ask("192.0.2.1");
  strictEqual(first.status, 200);
  strictEqual(first.headers.get("ratelimit-policy"), '"default";q=2;w=3600');
  strictEqual(first.headers.get("ratelimit"), '"default";r=1;t=1800');
  strictEqual((await ask("192.0.2.1")).status, 200);
  const third = await ask("192.0.2.1");
  strictEqual(third.status, 429);
  // The clock advances between them.
  match(third.headers.get("ratelimit")!, /^"default";r=0;t=3(600|5\d\d)$/);
  match(third.headers.get("retry-after")!, /^1(800|7\d\d)$/);
  const { retryable, error } = await third.json();
  deepStrictEqual([retryable, error.code], [true, "quota-exceeded"]);
  strictEqual((await ask("192.0.2.2")).status, 200, "another address");
  const look = await app.request("/v1/models");
  strictEqual(look.status, 200, "looking is free");
  strictEqual(look.headers.get("ratelimit"), null);
});

Deno.test("limitRate() counts an IPv6 network as one caller", async () => {
  const { ask } = appWith({});
  await ask("2001:db8:0:1::1");
  await ask("2001:db8:0:1:2:3:4:5");
  strictEqual((await ask("2001:db8:0:1:ffff::")).status, 429);
  strictEqual((await ask("2001:db8:0:2::1")).status, 200);
});

Deno.test("limitRate() counts a key as one caller, from any address", async () => {
  const { ask } = appWith({ apiKeys: apiKeys("one,two") });
  const one = { authorization: "Bearer one" };
  await ask("192.0.2.1", one);
  await ask("192.0.2.2", one);
  strictEqual((await ask("192.0.2.3", one)).status, 429);
  const two = { authorization: "Bearer two" };
  strictEqual((await ask("192.0.2.3", two)).status, 200);
});

Deno.test("limitRate() uses a forwarded address only behind a trusted proxy", async () => {
  const claims = (i: number) => ({ "x-forwarded-for": `198.51.100.${i}` });
  const statuses = async (trustedProxies: number) => {
    const { ask } = appWith({ trustedProxies });
    const all: number[] = [];
    for (const i of [1, 2, 3]) {
      all.push((await ask("192.0.2.1", claims(i))).status);
    }
    return all;
  };
  deepStrictEqual(await statuses(0), [200, 200, 429]);
  deepStrictEqual(await statuses(1), [200, 200, 200]);
});
