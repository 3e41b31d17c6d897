/**
 * The attacks by connections: silence, slow writes, disconnects, and unread
 * answers.
 *
 * @module
 */

import {
  ask,
  askJson,
  type Attack,
  BUSY,
  close,
  keyHeaders,
  oneOf,
  pause,
  rawRequest,
  size,
  type Target,
  together,
} from "./attack.ts";
import { ordinary } from "./bodies.ts";

const MEGABYTE = 2 ** 20;

function head(
  target: Target,
  method: string,
  path: string,
  headers: Record<string, string>,
): string {
  const all = { host: "127.0.0.1", ...keyHeaders(target), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

function jsonHead(target: Target, path: string, length: number): string {
  return head(target, "POST", path, {
    "content-type": "application/json",
    "content-length": `${length}`,
  });
}

const silent: Attack = {
  name: "silent connections, while others ask",
  allowed: [200, ...BUSY],
  run: async (target) => {
    const { random } = target;
    const open = await Promise.all(
      Array.from({ length: 100 }, () =>
        rawRequest(
          target,
          jsonHead(target, "/v1/generate", 30 * MEGABYTE),
          // Some send a few bytes and then stall.
          random() < 0.3
            ? new Uint8Array(size(random, 1, MEGABYTE)).fill(32)
            : "",
        )),
    );
    const answers = await together(8, () => ordinary(target));
    open.forEach(close);
    return answers;
  },
};

const leaving: Attack = {
  name: "clients that leave, with any body, at any moment",
  allowed: [200, ...BUSY],
  run: async (target) => {
    const { random } = target;
    await together(12, async () => {
      const pad = " ".repeat(size(random, 1, 10 * MEGABYTE));
      const body = oneOf(random, [
        `{"prompt":"a fox","height":256,"width":256,"n":8${pad}}`,
        `{"image":"AAAA"${pad}}`,
        `{"prompt":"a fox"${pad}`,
      ]);
      const path = oneOf(random, [
        "/v1/generate",
        "/v1/caption",
        "/v1/score",
        "/predictions",
      ]);
      const connection = await rawRequest(
        target,
        jsonHead(target, path, body.length),
        body.slice(0, Math.floor(body.length * Math.min(1, 2 * random()))),
      );
      await pause(300 * random());
      close(connection);
      return 0;
    });
    await pause(200);
    return await together(4, () => ordinary(target));
  },
};

const unread: Attack = {
  name: "answers and events that nobody reads",
  // 200 connections send as fast as they can, 400 with two keys.
  livezMs: 1000,
  allowed: [200, ...BUSY],
  run: async (target) => {
    const { random } = target;
    const open = await Promise.all(
      Array.from({ length: 200 }, () => {
        const path = oneOf(random, [
          "/openapi.json",
          "/docs",
          "/page/index.html",
          "/predictions",
          "/v1/jobs",
        ]);
        // Many pipelined requests, of which no answer is read.
        return rawRequest(
          target,
          head(target, "GET", path, {}).repeat(size(random, 1, 20)),
        );
      }),
    );
    await pause(1000);
    const answers = await together(4, () => ordinary(target));
    open.forEach(close);
    return answers;
  },
};

const readers: Attack = {
  name: "many readers of one job's events",
  allowed: [200, ...BUSY],
  run: async (target) => {
    const job = await fetch(`${target.url}/v1/generate`, {
      method: "POST",
      body:
        '{"prompt":"a fox","height":256,"width":256,"preview":true,"logprobs":8}',
      headers: {
        ...keyHeaders(target),
        "content-type": "application/json",
        prefer: "respond-async",
      },
    });
    await job.body?.cancel();
    const path = job.headers.get("location");
    if (path === null) return await together(1, () => ordinary(target));
    const open = await Promise.all(
      Array.from(
        { length: 300 },
        () => rawRequest(target, head(target, "GET", `${path}/events`, {})),
      ),
    );
    await pause(3000);
    const answers = await together(4, () => ordinary(target));
    open.forEach(close);
    await ask(target, path, { method: "DELETE" });
    return answers;
  },
};

const heads: Attack = {
  name: "heads that are long, malformed or meant for others",
  allowed: [
    0,
    200,
    400,
    403,
    404,
    405,
    408,
    413,
    414,
    415,
    421,
    422,
    431,
    ...BUSY,
  ],
  run: async (target) => {
    const { random } = target;
    const junk = () => "a".repeat(size(random, 10, 100_000));
    const connections = await Promise.all(Array.from({ length: 40 }, () => {
      const text = oneOf(random, [
        () => `GET /${junk()} HTTP/1.1\r\nhost: a\r\n\r\n`,
        () => `GET / HTTP/1.1\r\nhost: ${junk()}\r\n\r\n`,
        () => `GET / HTTP/1.1\r\nhost: a b\r\n\r\n`,
        () =>
          `GET / HTTP/1.1\r\n${
            "x: y\r\n".repeat(size(random, 10, 20_000))
          }\r\n`,
        () =>
          `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n${junk()}`,
        () =>
          `POST /v1/generate HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\n\r\n${junk()}`,
        () => junk(),
        () => `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${junk()}`,
        () => `GET http://${junk()}/ HTTP/1.1\r\nhost: a\r\n\r\n`,
      ])();
      return rawRequest(target, text);
    }));
    await pause(200);
    connections.forEach(close);
    return await together(2, () => ordinary(target));
  },
};

const puts: Attack = {
  name: "predictions under one name, at once",
  allowed: [200, 201, 202, 404, 409, 422, ...BUSY],
  run: async (target) => {
    const name = `p${Math.floor(target.random() * 1e9)}`;
    return await together(8, () =>
      ask(target, `/predictions/${name}`, {
        method: "PUT",
        body: '{"input":{"prompt":"a","height":16,"width":16}}',
        headers: { "content-type": "application/json" },
      }));
  },
};

const crowd: Attack = {
  name: "a crowd of drawings",
  allowed: [200, ...BUSY],
  run: (target) =>
    together(80, async () => {
      const side = 16 * size(target.random, 1, 12);
      return await askJson(
        target,
        "/v1/generate",
        `{"prompt":"a fox","height":${side},"width":${side}}`,
        { accept: "image/png" },
      );
    }),
};

/** Attacks by connections. */
export const CONNECTION_ATTACKS: readonly Attack[] = [
  silent,
  leaving,
  unread,
  readers,
  heads,
  puts,
  crowd,
];
