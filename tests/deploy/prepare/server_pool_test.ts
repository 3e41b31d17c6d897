import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { SERVER_OPTIONS } from "../../../deploy/prepare/encoding/server.ts";
import { ServerPool } from "../../../deploy/prepare/encoding/server_pool.ts";

/** A server that answers by a function, and the requests it got. */
interface Answering extends AsyncDisposable {
  readonly url: string;
  readonly asked: Request[];
  readonly most: () => number;
}

function answering(
  answer: (request: Request, count: number) => Response | Promise<Response>,
): Answering {
  const asked: Request[] = [];
  let running = 0;
  let most = 0;
  const server = Deno.serve(
    { port: 0, onListen: () => {} },
    async (request) => {
      asked.push(request);
      most = Math.max(most, ++running);
      try {
        return await answer(request, asked.length);
      } finally {
        running--;
      }
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    asked,
    most: () => most,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function poolOf(
  servers: readonly { readonly url: string }[],
  { now = Date.now, apiKey = undefined as string | undefined } = {},
): ServerPool {
  return new ServerPool(servers.map(({ url }) => url), {
    ...{ ...SERVER_OPTIONS, restMs: 1, apiKey, now },
  });
}

const { signal } = new AbortController();

/** Sends requests at once, and returns the answers' texts. */
async function askAll(pool: ServerPool, count: number): Promise<string[]> {
  return await Promise.all(
    Array.from(
      { length: count },
      async (_, i) => await (await pool.request(`/${i}`, {}, signal)).text(),
    ),
  );
}

Deno.test("ServerPool keeps each server within its window, which grows with successful answers", async () => {
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  const echo = async (request: Request) => {
    await turn();
    return new Response(new URL(request.url).pathname);
  };
  await using a = answering(echo);
  await using b = answering(echo);
  const pool = poolOf([a, b]);
  strictEqual(pool.capacity, 4);
  const answers = await askAll(pool, 40);
  deepStrictEqual(answers, answers.map((_, i) => `/${i}`));
  ok(a.asked.length > 5 && b.asked.length > 5);
  ok(pool.capacity > 4);
  ok(a.most() <= pool.servers[0]!.window);
});

Deno.test("ServerPool waits for Retry-After, and uses other servers meanwhile", async () => {
  let now = 1_000_000;
  let open = false;
  await using busy = answering(() =>
    open ? new Response("late") : new Response("", {
      status: 503,
      headers: { "retry-after": "30" },
    })
  );
  await using free = answering(() => new Response("soon"));
  const pool = poolOf([busy, free], { now: () => now });
  deepStrictEqual(await askAll(pool, 6), Array(6).fill("soon"));
  ok(busy.asked.length <= 2);
  const before = busy.asked.length;
  const [slow] = pool.servers;
  strictEqual(slow!.window, 1);
  ok(slow!.waitMs > 29_000);
  open = true;
  now += 30_000;
  ok((await askAll(pool, 6)).includes("late"));
  ok(busy.asked.length > before);
});

Deno.test("ServerPool moves the requests of a dead server to the others", async () => {
  const gone = answering(() => new Response("gone"));
  await using alive = answering(() => new Response("alive"));
  const pool = poolOf([gone, alive]);
  await gone[Symbol.asyncDispose]();
  deepStrictEqual(await askAll(pool, 10), Array(10).fill("alive"));
});

Deno.test("ServerPool repeats interrupted requests, and uses a recovered server again", async () => {
  await using flaky = answering((_, count) =>
    count % 2 === 1
      ? new Response("", { status: count % 4 === 1 ? 500 : 429 })
      : new Response("ok")
  );
  const pool = poolOf([flaky], { now: stepping() });
  deepStrictEqual(await askAll(pool, 3), ["ok", "ok", "ok"]);
});

/** Returns a clock that moves on by a minute with each look. */
function stepping(): () => number {
  let now = 0;
  return () => now += 60_000;
}

Deno.test("ServerPool fails once no server answers, with the reason of each", async () => {
  await using broken = answering(() =>
    Response.json({ detail: "the model is gone" }, { status: 500 })
  );
  const pool = poolOf([broken, { url: "http://127.0.0.1:9" }]);
  await rejects(pool.request("/", {}, signal), (error) => {
    ok(error instanceof Error);
    ok(/no server answers/.test(error.message), error.message);
    ok(/the model is gone/.test(error.message), error.message);
    return true;
  });
});

Deno.test("ServerPool distinguishes refusals of a record from refusals of the caller", async () => {
  const statuses: [number, string, RegExp][] = [
    [422, "RecordError", /a picture is too long/],
    [415, "RecordError", /a picture is too long/],
    [401, "PreparationError", /set EMU3_API_KEY/],
    [404, "PreparationError", /a picture is too long/],
  ];
  for (const [status, name, message] of statuses) {
    await using server = answering(() =>
      Response.json({ detail: "a picture is too long" }, { status })
    );
    await rejects(poolOf([server]).request("/", {}, signal), { name, message });
  }
});

Deno.test("ServerPool sends the key, and stops on abort", async () => {
  await using server = answering((request) =>
    new Response(request.headers.get("authorization"))
  );
  const pool = poolOf([server], { apiKey: "secret" });
  deepStrictEqual(await askAll(pool, 1), ["Bearer secret"]);
  const stop = AbortSignal.abort(new Error("stopped"));
  await rejects(pool.request("/", {}, stop), /stopped/);
});

Deno.test("ServerPool rejects an address that is no HTTP URL", () => {
  for (const url of ["", "localhost:80", "ftp://x"]) {
    throws(() => poolOf([{ url }]), /is not the address of a server/);
  }
});
