/** The webhook deliveries to a receiver on this machine. */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { Webhook as Verifier } from "standardwebhooks";
import {
  Deliveries,
  type DeliveryOptions,
} from "../../../functions/jobs/deliveries.ts";
import type { Job, JobStatus } from "../../../functions/jobs/job.ts";
import { handClock } from "../../support/hand_clock.ts";
import { settle } from "../../support/job_desk.ts";
import {
  type JobTables,
  newJob,
  openTables,
  success,
} from "../../support/job_tables.ts";
import { json, openTinyServer } from "../../support/tiny_server.ts";

const SECRET = `whsec_${new Uint8Array(24).fill(7).toBase64()}`;
const PAUSES = [1000, 2000];

/** A delivery attempt, and its answer. */
interface Attempt {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly answer: (status: number) => void;
  readonly fail: () => void;
}

/** Opens deliveries whose receiver a test controls. */
function openDeliveries(
  tables = openTables(),
  clock = handClock(Date.now()),
  changes: Partial<DeliveryOptions> = {},
) {
  const attempts: Attempt[] = [];
  const failures: unknown[] = [];
  const deliveries = new Deliveries(tables.queries, {
    secret: SECRET,
    post: (_url, headers, body, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const fail = () => reject(new TypeError("no connection"));
      signal.addEventListener("abort", fail);
      attempts.push({ headers, body, signal, answer: resolve, fail });
      return promise;
    },
    now: clock.now,
    publicUrl: "https://server",
    onFailure: (error) => void failures.push(error),
    delaysMs: PAUSES,
    ...changes,
  });
  return { tables, clock, deliveries, attempts, failures };
}

/** Returns a job with a receiver. */
function toldJob(
  { jobs }: JobTables,
  id: string,
  events: readonly JobStatus[] = ["succeeded"],
  bytes = 3,
): Job {
  jobs.insert(newJob(id, { webhook: { url: "https://receiver", events } }));
  jobs.end(id, success(2, bytes));
  return jobs.find(id)!;
}

function waiting({ queries }: JobTables): unknown[] {
  return queries.all("SELECT attempts FROM deliveries ORDER BY rowid")
    .map(({ attempts }) => attempts);
}

function tell(
  { deliveries, tables }: ReturnType<typeof openDeliveries>,
  job: Job,
): void {
  deliveries.enqueue(job, tables.jobs.answerOf(job.id));
  deliveries.wake();
}

Deno.test("Deliveries sign notifications as Standard Webhooks verifies them", async () => {
  const desk = openDeliveries();
  tell(desk, toldJob(desk.tables, "a"));
  const [{ headers, body, answer }] = desk.attempts as [Attempt];
  new Verifier(SECRET).verify(body, { ...headers });
  throws(() => new Verifier(SECRET).verify(`${body} `, { ...headers }));
  const { type, data } = JSON.parse(body);
  strictEqual(type, "job.succeeded");
  strictEqual(data.url, "https://server/v1/jobs/a");
  strictEqual(data.result.b64_json, "AAAA");
  answer(204);
  await settle();
  deepStrictEqual(waiting(desk.tables), []);
  await desk.deliveries[Symbol.asyncDispose]();
});

Deno.test("Deliveries send only requested statuses, and leave out long results", async () => {
  const desk = openDeliveries();
  tell(desk, toldJob(desk.tables, "a", ["failed"]));
  strictEqual(desk.attempts.length, 0);
  tell(desk, toldJob(desk.tables, "b", ["succeeded"], 2 ** 21));
  const { data } = JSON.parse(desk.attempts[0]!.body);
  strictEqual(data.result, undefined);
  ok(desk.attempts[0]!.body.length < 1000);
  await desk.deliveries[Symbol.asyncDispose]();
});

Deno.test("Deliveries retry under the same id at growing intervals, then give up", async () => {
  const desk = openDeliveries();
  tell(desk, toldJob(desk.tables, "a"));
  desk.attempts[0]!.answer(500);
  await settle();
  deepStrictEqual(waiting(desk.tables), [1]);
  desk.clock.pass(PAUSES[0]! - 1);
  desk.deliveries.wake();
  strictEqual(desk.attempts.length, 1);
  desk.clock.pass(1);
  desk.deliveries.wake();
  desk.attempts[1]!.fail();
  await settle();
  deepStrictEqual(waiting(desk.tables), [2]);
  desk.clock.pass(PAUSES[1]!);
  desk.deliveries.wake();
  desk.attempts[2]!.answer(302);
  await settle();
  deepStrictEqual(waiting(desk.tables), []);
  const names = desk.attempts.map(({ headers }) => headers["webhook-id"]);
  strictEqual(new Set(names).size, 1);
  await desk.deliveries[Symbol.asyncDispose]();
});

Deno.test("Deliveries stop for a receiver that is gone", async () => {
  const desk = openDeliveries();
  tell(desk, toldJob(desk.tables, "a"));
  desk.attempts[0]!.answer(410);
  await settle();
  deepStrictEqual(waiting(desk.tables), []);
  await desk.deliveries[Symbol.asyncDispose]();
});

Deno.test("Deliveries time out on a silent receiver", async () => {
  const desk = openDeliveries(undefined, undefined, { timeoutMs: 0 });
  tell(desk, toldJob(desk.tables, "a"));
  const { signal } = desk.attempts[0]!;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  await settle();
  deepStrictEqual(waiting(desk.tables), [1]);
  await desk.deliveries[Symbol.asyncDispose]();
});

Deno.test("Deliveries send a few at once, and all in the end", async () => {
  const desk = openDeliveries();
  for (let i = 0; i < 11; i++) tell(desk, toldJob(desk.tables, `${i}`));
  let answered = 0;
  while (answered < desk.attempts.length) {
    ok(desk.attempts.length - answered <= 4);
    desk.attempts[answered++]!.answer(200);
    await settle();
  }
  strictEqual(answered, 11);
  deepStrictEqual(waiting(desk.tables), []);
  await desk.deliveries[Symbol.asyncDispose]();
});

Deno.test("Deliveries of an earlier server are continued", async () => {
  const first = openDeliveries();
  tell(first, toldJob(first.tables, "a"));
  await first.deliveries[Symbol.asyncDispose]();
  deepStrictEqual(waiting(first.tables), [0]);
  first.deliveries.wake();
  strictEqual(first.attempts.length, 1);
  const next = openDeliveries(first.tables, first.clock);
  next.deliveries.wake();
  strictEqual(next.attempts[0]?.body, first.attempts[0]?.body);
  next.attempts[0]!.answer(200);
  await settle();
  deepStrictEqual(waiting(next.tables), []);
  await next.deliveries[Symbol.asyncDispose]();
});

Deno.test("Deliveries report a failing store, and do not repeat at once", async () => {
  const desk = openDeliveries();
  tell(desk, toldJob(desk.tables, "a"));
  desk.tables.database.exec(
    "CREATE TRIGGER full BEFORE UPDATE ON deliveries BEGIN SELECT raise(ABORT, 'database or disk is full'); END",
  );
  desk.attempts[0]!.answer(500);
  await settle();
  strictEqual(desk.failures.length, 1);
  strictEqual(desk.attempts.length, 1);
  desk.tables[Symbol.dispose]();
  desk.deliveries.wake();
  strictEqual(desk.failures.length, 2);
  await desk.deliveries[Symbol.asyncDispose]();
});

Deno.test("Deliveries notify a receiver over HTTP, until it listens", async () => {
  const received = Promise.withResolvers<Record<string, string>>();
  let calls = 0;
  await using receiver = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const body = await request.text();
      if (calls++ === 0) return new Response("", { status: 500 });
      received.resolve({ ...Object.fromEntries(request.headers), body });
      return new Response("");
    },
  );
  await using server = await openTinyServer({}, {}, {
    webhooks: {
      secret: SECRET,
      publicUrl: "",
      delaysMs: [0],
      post: async (_url, headers, body, signal) => {
        const url = `http://127.0.0.1:${receiver.addr.port}`;
        const init = { method: "POST", headers, body, signal };
        const response = await fetch(url, init);
        await response.body?.cancel();
        return response.status;
      },
    },
  });
  const webhook = { url: "https://receiver.invalid/hook" };
  const small = { prompt: "a fox", height: 32, width: 32, webhook };
  const prefer = { prefer: "respond-async" };
  const response = await server.app.request(
    "/v1/generate",
    json(small, prefer),
  );
  strictEqual(response.status, 202);
  const { id } = await response.json();
  const { body, ...headers } = await received.promise;
  new Verifier(SECRET).verify(body!, headers);
  strictEqual(JSON.parse(body!).data.id, id);
  strictEqual(JSON.parse(body!).data.status, "succeeded");
  const plain = { ...small, webhook: { url: "http://receiver.invalid" } };
  const refused = await server.app.request("/v1/generate", json(plain, prefer));
  strictEqual(refused.status, 422);
  strictEqual((await refused.json()).errors[0].pointer, "/webhook/url");
});
