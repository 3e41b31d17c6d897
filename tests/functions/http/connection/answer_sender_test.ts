/**
 * The laws of unread answers, over real sockets.
 */

import { ok, strictEqual } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AnswerSender } from "../../../../functions/http/connection/answer_sender.ts";
import { listen } from "../../../../functions/http/connection/listener.ts";
import { until } from "../../../support/until.ts";

const MEGABYTE = 2 ** 20;

async function asking(port: number, method: string): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
  return connection;
}

Deno.test("AnswerSender refuses GETs of an address that leaves too much unread, until it reads or leaves", async () => {
  let sent = 0;
  const listener = await listen((_, connection) => {
    connection.sent.then(() => sent++);
    return new Response(new Uint8Array(64 * MEGABYTE));
  }, {
    hostname: "127.0.0.1",
    port: 0,
    maxConnections: 100,
    maxUnsentBytes: 160 * MEGABYTE,
  });
  const { port } = listener.addr;
  const url = `http://127.0.0.1:${port}`;
  const unread = [await asking(port, "GET"), await asking(port, "GET")];
  await until(async () => {
    const answer = await fetch(url);
    await answer.body?.cancel();
    return answer.status === 503 &&
      Number(answer.headers.get("retry-after")) > 0;
  });
  // An answer that cost model time is sent all the same.
  const post = await fetch(url, { method: "POST", body: "x" });
  strictEqual(post.status, 200);
  strictEqual((await post.bytes()).length, 64 * MEGABYTE);
  for (const connection of unread) connection.close();
  await until(async () => {
    const answer = await fetch(url);
    const { length } = await answer.bytes();
    return answer.status === 200 && length === 64 * MEGABYTE;
  });
  await listener.shutdown();
  ok(sent >= 4);
});

Deno.test("AnswerSender disconnects a client that reads nothing", async () => {
  const sender = new AnswerSender(64 * MEGABYTE, {
    stalledMs: 50,
    checkMs: 10,
  });
  const server = createServer((_, response) => {
    const answer = new Response(new Uint8Array(32 * MEGABYTE));
    void sender.send(answer, response, "127.0.0.1");
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  const stalled = await asking(port, "GET");
  await until(() => sender.unsentBytes > 0);
  await until(() => sender.unsentBytes === 0);
  stalled.close();
  sender.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
