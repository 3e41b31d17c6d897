/**
 * The laws of clients that leave, with bodies of 0.1 kB to 10 MB, at every
 * stage of a request: each is logged as 499, and its work ends.
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { plainPng } from "../../support/bombs.ts";
import { listenTiny } from "../../support/tiny_http.ts";
import { until } from "../../support/until.ts";

const server = await listenTiny({
  slots: 2,
  limits: { maxBodyBytes: 2 ** 25, maxPixels: 64_000_000 },
});
globalThis.addEventListener("unload", async () => {
  await server[Symbol.asyncDispose]();
});

const { hostname, port } = new URL(server.url);
const { engine } = server.services.imageGenerator(undefined).language;

/** Sends a request in one write, or its head and body separately. */
async function send(
  path: string,
  type: string,
  body: Uint8Array,
  apart: boolean,
): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const head = new TextEncoder().encode(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  const parts = apart ? [head, body] : [new Uint8Array([...head, ...body])];
  for (let part of parts) {
    while (part.length > 0) part = part.subarray(await connection.write(part));
  }
  return connection;
}

/** Returns JSON of a generation of thousands of steps, with the given number of bytes. */
function drawing(bytes: number): Uint8Array {
  const fields = '{"prompt":"a fox","height":512,"width":512,"seed":1';
  return new TextEncoder().encode(`${fields.padEnd(bytes - 1)}}`);
}

/** Returns a picture that takes seconds to decode, with at least the given number of bytes. */
function picture(bytes: number): Promise<Uint8Array> {
  return plainPng(5000, 5000, bytes);
}

/** Returns the number of requests in the log with a status. */
function logged(status: number): number {
  return server.trace.access.filter((one) => one.status === status).length;
}

async function leaves(connection: Deno.TcpConn): Promise<void> {
  const before = logged(499);
  connection.close();
  await until(() => logged(499) === before + 1);
}

for (const bytes of [100, 1000, 100_000]) {
  for (const apart of [false, true]) {
    const how = `${bytes} bytes${apart ? ", sent apart" : ""}`;

    Deno.test(`App cancels a drawing when its client leaves: ${how}`, async () => {
      const connection = await send(
        "/v1/generate",
        "application/json",
        drawing(bytes),
        apart,
      );
      await until(() => engine.state.running > 0);
      await leaves(connection);
      await until(() => engine.state.running === 0);
    });

    Deno.test(`App removes a waiting drawing from the queue when its client leaves: ${how}`, async () => {
      const first = await send(
        "/v1/generate",
        "application/json",
        drawing(100),
        false,
      );
      await until(() => engine.state.running > 0);
      const second = await send(
        "/v1/generate",
        "application/json",
        drawing(bytes),
        apart,
      );
      await until(() => engine.state.waiting > 0);
      await leaves(second);
      await until(() => engine.state.waiting === 0);
      ok(engine.state.running > 0, "the other goes on");
      await leaves(first);
      await until(() => engine.state.running === 0);
    });
  }
}

for (const bytes of [100, 10_000_000]) {
  Deno.test(`App cancels running and waiting picture conversions when their clients leave: ${bytes} bytes`, async () => {
    const file = await picture(bytes);
    const connections = await Promise.all(
      ["/v1/tokenize", "/v1/caption", "/v1/tokenize"].map((path) =>
        send(path, "image/png", file, true)
      ),
    );
    // The first is in the codec, or was; the bodies of others may still arrive.
    const before = server.trace.access.length;
    await until(() =>
      server.services.pixels.held > 0 || server.trace.access.length > before
    );
    for (const connection of connections) await leaves(connection);
    deepStrictEqual(server.trace.failures, []);
  });
}
