/**
 * The laws of the listener over real sockets: clients that leave, silent or
 * malformed connections, unread answers, and shutdown.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  type Handler,
  listen,
} from "../../../../functions/http/connection/listener.ts";
import type { Malformed } from "../../../../functions/http/connection/malformed_request.ts";
import { delay } from "../../../../lib/async/delay.ts";
import { until } from "../../../support/until.ts";

/** Starts a listener on a free port. */
async function open(handler: Handler, changes: Partial<{
  maxConnections: number;
  maxUnsentBytes: number;
  onMalformed: (malformed: Malformed) => void;
}> = {}) {
  const listener = await listen(handler, {
    hostname: "127.0.0.1",
    port: 0,
    maxConnections: 100,
    maxUnsentBytes: 2 ** 24,
    ...changes,
  });
  const { port } = listener.addr;
  return {
    url: `http://127.0.0.1:${port}`,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
    [Symbol.asyncDispose]: () => listener.shutdown(),
  };
}

/** Returns the bytes of a request's body. */
async function bytesOf(
  { body }: Parameters<Handler>[1],
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of body ?? []) parts.push(part);
  return await new Blob(parts).bytes();
}

async function send(connection: Deno.Conn, text: string): Promise<void> {
  let left = new TextEncoder().encode(text);
  while (left.length > 0) left = left.subarray(await connection.write(left));
}

/** Returns all bytes until the other side closes. */
async function rest(connection: Deno.Conn): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of connection.readable) chunks.push(chunk);
  return new TextDecoder().decode(await new Blob(chunks as BlobPart[]).bytes());
}

/** Ways of sending: in one packet, with the body separately, or chunked. */
const WAYS = ["together", "apart", "chunked"] as const;

Deno.test("listen() aborts the signal of a client that disconnects, with any body", async () => {
  let seen = { bytes: 0, aborts: 0 };
  let reached = () => {};
  let notify = () => {};
  await using server = await open(async (request, connection) => {
    const { length } = await bytesOf(connection);
    await new Promise<void>((resolve) => {
      request.signal.addEventListener("abort", () => resolve());
      seen = { bytes: length, aborts: seen.aborts };
      reached();
    });
    ok(request.signal.reason instanceof DOMException);
    strictEqual(request.signal.reason.name, "AbortError");
    seen.aborts++;
    notify();
    return new Response("nobody reads this");
  });
  let expected = 0;
  for (const size of [1, 100, 1000, 100_000, 10_000_000]) {
    for (const way of WAYS) {
      const arrived = new Promise<void>((resolve) => reached = resolve);
      const left = new Promise<void>((resolve) => notify = resolve);
      const connection = await server.connect();
      const body = "a".repeat(size);
      const head = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n";
      if (way === "chunked") {
        await send(connection, `${head}Transfer-Encoding: chunked\r\n\r\n`);
        const half = body.slice(size >> 1);
        const first = body.slice(0, size >> 1);
        for (const chunk of [first, half].filter((part) => part !== "")) {
          const length = chunk.length.toString(16);
          await send(connection, `${length}\r\n${chunk}\r\n`);
        }
        await send(connection, "0\r\n\r\n");
      } else {
        const sized = `${head}Content-Length: ${size}\r\n\r\n`;
        if (way === "together") await send(connection, sized + body);
        else {
          await send(connection, sized);
          await send(connection, body);
        }
      }
      await arrived;
      strictEqual(seen.bytes, size, way);
      connection.close();
      await left;
      strictEqual(seen.aborts, ++expected, `${size} ${way}`);
    }
  }
});

Deno.test("listen() passes a body that came with its head whole, and others in parts", async () => {
  await using server = await open(async (_, { body }) => {
    // The parser continues to read meanwhile.
    await delay(20);
    const whole = body?.whole();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for await (const part of body ?? []) parts.push(part);
    const bytes = await new Blob(whole === undefined ? parts : [whole]).bytes();
    if (whole !== undefined) strictEqual(parts.length, 0);
    const headers = { whole: `${whole !== undefined}` };
    return new Response(bytes, { headers });
  });
  for (const size of [1, 1000, 30_000, 10_000_000]) {
    const sent = Uint8Array.from({ length: size }, (_, i) => i % 251);
    const bodies = [sent, ReadableStream.from([sent])];
    for (const body of bodies) {
      // One connection for all: no part of a body remains in it.
      const answer = await fetch(server.url, { method: "POST", body });
      strictEqual(answer.headers.get("whole"), `${size < 100_000}`);
      deepStrictEqual(await answer.bytes(), sent);
    }
  }
});

Deno.test("listen() aborts the signal of a client that leaves in the middle of its body", async () => {
  const left = Promise.withResolvers<string>();
  await using server = await open(async (request, connection) => {
    const failure = await bytesOf(connection).catch((error) => error);
    ok(failure instanceof Error);
    if (!request.signal.aborted) {
      await new Promise((resolve) =>
        request.signal.addEventListener("abort", resolve)
      );
    }
    left.resolve(request.signal.reason.name);
    return new Response();
  });
  const connection = await server.connect();
  await send(
    connection,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nhalf",
  );
  connection.close();
  strictEqual(await left.promise, "AbortError");
});

Deno.test("listen() does not abort the signal of an answer that was read", async () => {
  const signals: AbortSignal[] = [];
  const sent: Promise<void>[] = [];
  await using server = await open(async (request, connection) => {
    signals.push(request.signal);
    sent.push(connection.sent);
    return new Response(await bytesOf(connection));
  });
  for (const body of ["", "a", "a".repeat(1_000_000)]) {
    const init = body === "" ? {} : { method: "POST", body };
    const answer = await fetch(server.url, init);
    strictEqual(await answer.text(), body);
    strictEqual(answer.headers.get("content-length"), `${body.length}`);
  }
  await Promise.all(sent);
  deepStrictEqual(signals.map(({ aborted }) => aborted), [false, false, false]);
});

Deno.test("listen() reports the address of the peer", async () => {
  await using server = await open((_, { remoteAddr }) =>
    Response.json(remoteAddr)
  );
  const { hostname, port } = await (await fetch(server.url)).json();
  strictEqual(hostname, "127.0.0.1");
  ok(port > 0);
});

Deno.test("listen() answers malformed HTTP with a problem, and reports it", async () => {
  const told: Malformed[] = [];
  await using server = await open(() => new Response("reached"), {
    onMalformed: (malformed) => told.push(malformed),
  });
  const heads: [string, number, Malformed][] = [
    ["nonsense\r\n\r\n", 400, "malformed-request"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed-request"],
    ["GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed-request"],
    [
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "malformed-request",
    ],
    [
      `GET / HTTP/1.1\r\nHost: a\r\nx: ${"a".repeat(70_000)}\r\n\r\n`,
      431,
      "head-too-large",
    ],
  ];
  for (const [head, status, kind] of heads) {
    const connection = await server.connect();
    await send(connection, head);
    const answer = await rest(connection);
    match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), head.slice(0, 60));
    match(answer, /content-type: application\/problem\+json/i);
    strictEqual(JSON.parse(answer.split("\r\n\r\n")[1]!).error.code, kind);
    strictEqual(told.pop(), kind);
  }
  deepStrictEqual(told, []);
});

Deno.test("listen() limits the connections of one address", async () => {
  await using server = await open(() => new Response("ok"), {
    maxConnections: 3,
  });
  const open4 = await Promise.all([1, 2, 3].map(server.connect));
  const fourth = await server.connect();
  strictEqual(await rest(fourth), "");
  for (const connection of open4) connection.close();
  // The places of clients that left become free once their end is noticed.
  for (;;) {
    const answer = await fetch(server.url).catch(() => undefined);
    if (answer === undefined) continue;
    strictEqual(await answer.text(), "ok");
    break;
  }
});

Deno.test("listen() sends 100 Continue only once the body is read", async () => {
  const { promise: go, resolve } = Promise.withResolvers<void>();
  await using server = await open(async (_, connection) => {
    await go;
    return new Response(await bytesOf(connection));
  });
  const connection = await server.connect();
  await send(
    connection,
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 4\r\n\r\n",
  );
  const buffer = new Uint8Array(1000);
  const first = connection.read(buffer);
  const early = await Promise.race([first, Promise.resolve("nothing yet")]);
  strictEqual(early, "nothing yet");
  resolve();
  const length = await first;
  const text = new TextDecoder().decode(buffer.subarray(0, length!));
  match(text, /^HTTP\/1\.1 100 Continue/);
  await send(connection, "body");
  match(await rest(connection), /\r\n\r\nbody$/);
});

Deno.test("listen() finishes answers in flight at shutdown, and closes idle connections", async () => {
  const started = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const listener = await listen(async () => {
    started.resolve();
    await go.promise;
    return new Response("whole");
  }, {
    hostname: "127.0.0.1",
    port: 0,
    maxConnections: 10,
    maxUnsentBytes: 2 ** 20,
  });
  const { port } = listener.addr;
  const idle = await Deno.connect({ hostname: "127.0.0.1", port });
  const answer = fetch(`http://127.0.0.1:${port}`);
  await started.promise;
  const down = listener.shutdown();
  strictEqual(await rest(idle), "");
  go.resolve();
  strictEqual(await (await answer).text(), "whole");
  await down;
});

Deno.test("listen() rejects if the port is in use", async () => {
  await using server = await open(() => new Response());
  const port = Number(new URL(server.url).port);
  const failure = await listen(() => new Response(), {
    hostname: "127.0.0.1",
    port,
    maxConnections: 1,
    maxUnsentBytes: 1,
  }).catch((error) => error);
  strictEqual(failure.code, "EADDRINUSE");
});

Deno.test("listen() closes a connection with too many pipelined requests", async () => {
  await using server = await open(() => new Promise(() => {}));
  const connection = await server.connect();
  await send(connection, "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100));
  strictEqual(await rest(connection).catch(() => ""), "");
});

Deno.test("listen() passes a malformed target or Host to the handler as an error", async () => {
  await using server = await open((request, { malformed }) =>
    Response.json({
      path: new URL(request.url).pathname,
      malformed: `${malformed}`,
    })
  );
  const heads = [
    "GET / HTTP/1.1\r\nHost: a b",
    "GET / HTTP/1.1\r\nHost: a/docs?",
    "GET / HTTP/1.1\r\nHost: me@a",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b",
    "GET / HTTP/1.1",
    "TRACE / HTTP/1.1\r\nHost: a",
  ];
  for (const head of heads) {
    const connection = await server.connect();
    await send(connection, `${head}\r\nConnection: close\r\n\r\n`);
    const [, body] = (await rest(connection)).split("\r\n\r\n");
    const { path, malformed } = JSON.parse(body!);
    strictEqual(path, "/", head);
    match(malformed, /^Error|Error: /, head);
  }
  const plain = await (await fetch(`${server.url}/docs?x`)).json();
  deepStrictEqual(plain, { path: "/docs", malformed: "undefined" });
});

Deno.test("listen() reports the end of every request, also of clients that left before", async () => {
  let begun = 0;
  let ended = 0;
  await using server = await open((_, { sent }) => {
    begun++;
    sent.then(() => ended++);
    return new Response("ok");
  });
  for (let round = 0; round < 20; round++) {
    const connections = await Promise.all(
      Array.from({ length: 40 }, () => server.connect()),
    );
    await Promise.all(
      connections.map((connection) =>
        send(connection, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      ),
    );
    for (const connection of connections) connection.close();
  }
  await until(() => begun > 0 && ended === begun);
  await delay(50);
  strictEqual(ended, begun);
});
