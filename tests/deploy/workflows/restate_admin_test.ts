import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { RestateAdmin } from "../../../deploy/workflows/restate/restate_admin.ts";
import { freePort } from "../../support/free_port.ts";

const { signal } = new AbortController();

/** Serves `answer`; its requests are recorded. */
function serve(answer: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    answer,
  );
  const admin = new RestateAdmin(`http://127.0.0.1:${server.addr.port}`);
  return { admin, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("register() replaces the service at its address", async () => {
  const bodies: unknown[] = [];
  await using restate = serve(async (request) => {
    bodies.push([new URL(request.url).pathname, await request.json()]);
    return Response.json({}, { status: 201 });
  });
  await restate.admin.register("http://127.0.0.1:9080", signal);
  deepStrictEqual(bodies, [
    ["/deployments", { uri: "http://127.0.0.1:9080", force: true }],
  ]);
});

Deno.test("register() states the service and Restate's reason", async () => {
  for (
    const [body, reason] of [
      ['{"message":"not reachable"}', "not reachable"],
      ["<html>", "<html>"],
    ] as const
  ) {
    await using restate = serve(() => new Response(body, { status: 500 }));
    await rejects(
      restate.admin.register("http://127.0.0.1:9080", signal),
      new RegExp(
        `Cannot register http://127.0.0.1:9080 with Restate: ${reason}`,
      ),
    );
  }
  await rejects(
    new RestateAdmin(`http://127.0.0.1:${freePort()}`).register("x", signal),
    /Cannot register x with Restate: /,
  );
});

Deno.test("healthy() is false while nothing listens, and for errors", async () => {
  const nothing = new RestateAdmin(`http://127.0.0.1:${freePort()}`);
  strictEqual(await nothing.healthy(signal), false);
  await using failing = serve(() => new Response("", { status: 503 }));
  strictEqual(await failing.admin.healthy(signal), false);
  await using restate = serve(() => new Response(""));
  strictEqual(await restate.admin.healthy(signal), true);
});

Deno.test("query() returns rows, and throws the message of a wrong query", async () => {
  await using restate = serve(() => Response.json({ rows: [{ n: 1 }] }));
  deepStrictEqual(await restate.admin.query("select 1 as n", signal), [
    { n: 1 },
  ]);
  await using failing = serve(() => new Response("no table", { status: 400 }));
  await rejects(failing.admin.query("select", signal), /no table/);
});
