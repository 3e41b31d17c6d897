/** The requests over a socket that no client library sends. */

import { match, ok, strictEqual } from "node:assert/strict";
import { TINY_FOLDERS } from "../support/tiny_server.ts";
import { startServer } from "../support/server.ts";

/** Requests, with the status and problem of their answers. */
const RAW: readonly [
  lines: readonly string[],
  status: number,
  code?: string,
][] = [
  [["GET /livez HTTP/1.1", "Host: localhost"], 200],
  [["GET /livez HTTP/1.1", "Host: evil.example"], 200],
  [["GET http://evil.example/livez HTTP/1.1", "Host: localhost"], 200],
  [["GET /livez HTTP/1.1", "Host: a b"], 400, "malformed-request"],
  [["GET /livez HTTP/1.1", "Host: x/docs?"], 400, "malformed-request"],
  [
    ["GET /v1/models HTTP/1.1", "Host: localhost/livez?"],
    400,
    "malformed-request",
  ],
  [
    ["GET /v1/models HTTP/1.1", "Host: u:p@localhost"],
    400,
    "malformed-request",
  ],
  [
    ["GET /livez HTTP/1.1", `Host: ${"a".repeat(300)}`],
    400,
    "malformed-request",
  ],
  [["GET /v1/models HTTP/1.1", "Host: evil.example"], 421, "forbidden-host"],
  [["GET / HTTP/1.1", "Host: evil.example"], 421, "forbidden-host"],
  [
    ["GET http://evil.example/v1/models HTTP/1.1", "Host: localhost"],
    421,
    "forbidden-host",
  ],
  [["GET //evil.example/livez HTTP/1.1", "Host: localhost"], 404, "not-found"],
  [
    [`GET /${"a".repeat(9000)} HTTP/1.1`, "Host: localhost"],
    414,
    "target-too-long",
  ],
  [
    ["TRACE /v1/models HTTP/1.1", "Host: localhost", "X-Secret: 1"],
    405,
    "method-not-allowed",
  ],
  [
    [
      "POST /v1/generate HTTP/1.1",
      "Host: localhost",
      "Origin: https://evil.example",
      "Content-Type: text/plain",
      "Content-Length: 0",
    ],
    403,
    "forbidden-origin",
  ],
  [
    ["GET /v1/jobs HTTP/1.1", "Host: localhost", "Sec-Fetch-Site: cross-site"],
    403,
    "forbidden-origin",
  ],
];

Deno.test("listen() answers a malformed request with the right problem, and continues", async () => {
  await using server = await startServer({
    MODEL: TINY_FOLDERS.gen,
    THREADS: "1",
  });
  const port = Number(new URL(server.url).port);
  for (const [lines, status, code] of RAW) {
    const name = lines.slice(0, 2).join(" ").slice(0, 80);
    const answer = await exchange(port, lines);
    match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), name);
    ok(!answer.includes("X-Secret"));
    if (code === undefined) continue;
    const { error, request_id: id } = JSON.parse(
      answer.slice(answer.indexOf("\r\n\r\n") + 4),
    );
    strictEqual(error.code, code, name);
    ok(id);
  }
});

/** Sends lines and a blank one, and reads until the server closes. */
async function exchange(
  port: number,
  lines: readonly string[],
): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = [...lines, "Connection: close", "", ""].join("\r\n");
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}
