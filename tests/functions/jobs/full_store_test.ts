/**
 * The full store: ended jobs make room for new ones, failures are reported, and
 * writes succeed once there is room again.
 */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { StoreFullError } from "../../../functions/jobs/store/queries.ts";
import { Retention } from "../../../functions/jobs/store/retention.ts";
import {
  ASKED,
  newJob,
  openTables,
  success,
} from "../../support/job_tables.ts";
import { json, openTinyServer } from "../../support/tiny_server.ts";

const MIB = 2 ** 20;

/** Returns a queued job with a large body. */
function large(id: string, bytes: number) {
  const request = { ...ASKED, body: new Uint8Array(bytes) };
  return newJob(id, { request });
}

Deno.test("JobStore removes the oldest ended jobs for new rows, and keeps queued jobs", () => {
  using tables = openTables();
  const { jobs, queries } = tables;
  const room = new Retention(queries, 4 * MIB);
  queries.makeRoom = () => room.recycle() > 0;
  jobs.insert(large("waits", MIB));
  for (let i = 0; i < 40; i++) {
    jobs.insert(newJob(`${i}`));
    jobs.end(`${i}`, success(i, MIB / 4));
    ok(jobs.find(`${i}`));
  }
  ok(jobs.find("waits"));
  strictEqual(jobs.find("0"), undefined);
  // Removing all ended jobs would not be enough.
  throws(() => jobs.insert(large("huge", 5 * MIB)), StoreFullError);
  ok(jobs.find("waits"));
});

Deno.test("JobStore repeats a change once after making room", () => {
  using tables = openTables();
  const { queries, jobs } = tables;
  const room = new Retention(queries, 2 * MIB);
  queries.makeRoom = () => room.recycle() > 0;
  jobs.insert(newJob("old"));
  jobs.end("old", success(1, MIB));
  let tries = 0;
  jobs.transact(() => {
    tries++;
    jobs.insert(newJob("small"));
    jobs.insert(large("new", MIB));
  });
  strictEqual(tries, 2);
  strictEqual(jobs.find("old"), undefined);
  deepStrictEqual(jobs.withStatus("queued").map(({ id }) => id), [
    "small",
    "new",
  ]);
});

const fox = { prompt: "a fox", height: 32, width: 32, seed: 3 };

Deno.test("Jobs reports a full store, sends answers, and recovers by itself", async () => {
  await using server = await openTinyServer({}, {}, { maxBytes: MIB });
  const { app, jobs } = server;
  const ready = async () => await (await app.request("/readyz")).json();
  const metric = async () =>
    /^emu3_store_writable (\d)$/m.exec(
      await (await app.request("/metrics")).text(),
    )?.[1];
  const ask = (key: string) =>
    app.request("/v1/generate", json(fox, { "idempotency-key": key }));
  const kept = await ask("first");
  strictEqual(kept.headers.get("idempotency-kept"), null);
  deepStrictEqual(await ready(), { status: "ready" });
  strictEqual(await metric(), "1");
  // Queued jobs take all the room.
  let waiting = 0;
  try {
    for (;; waiting++) jobs.store.insert(large(`${waiting}`, MIB / 64));
  } catch (error) {
    ok(error instanceof StoreFullError);
  }
  try {
    for (let i = 0;; i++) jobs.store.insert(newJob(`small ${i}`));
  } catch (error) {
    ok(error instanceof StoreFullError);
  }
  const answer = await ask("second");
  strictEqual(answer.status, 200);
  strictEqual(answer.headers.get("idempotency-kept"), "false");
  deepStrictEqual(await ready(), { status: "ready", store: "full" });
  strictEqual(await metric(), "0");
  const refused = await app.request(
    "/v1/generate",
    json(fox, { prefer: "respond-async" }),
  );
  strictEqual(refused.status, 503);
  jobs.probe();
  strictEqual(jobs.writable, false);
  for (let i = 0; i < waiting; i++) jobs.store.remove(`${i}`);
  jobs.probe();
  strictEqual(jobs.writable, true);
  deepStrictEqual(await ready(), { status: "ready" });
  strictEqual(await metric(), "1");
  const again = await ask("second");
  strictEqual(again.headers.get("idempotency-replayed"), null);
  strictEqual(again.headers.get("idempotency-kept"), null);
  strictEqual(
    (await ask("second")).headers.get("idempotency-replayed"),
    "true",
  );
});
