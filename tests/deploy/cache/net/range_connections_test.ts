import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import fc from "fast-check";
import { generate } from "selfsigned";
import {
  PROXY_VARIABLES,
  RangeConnections,
} from "../../../../deploy/cache/net/range_connections.ts";
import { sha256Of } from "../../../support/hub_server.ts";
import { type RawConnection, rawServer } from "../../../support/raw_server.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";
import { until } from "../../../support/until.ts";

const NO_PROXY = new Map<string, string>();
const ranged: RequestInit = {
  headers: { Range: "bytes=0-9" },
  redirect: "manual",
};
const BY_FETCH = /^user-agent: Deno\//im;

/** Returns a head with a length of `length` bytes and more lines. */
const head = (length: number, status = "206 Partial Content", more = "") =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${length}\r\n${more}\r\n`;

const text = async (answer: Response) => await answer.text();

/** Reads all of `body` into memory of `size` bytes. */
async function readAll(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  size: number,
): Promise<Uint8Array> {
  const reader = body.getReader({ mode: "byob" });
  const pieces: number[] = [];
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(size));
    if (done) return Uint8Array.from(pieces);
    pieces.push(...value);
  }
}

Deno.test("RangeConnections delivers all bytes on one connection, for any split of writes and reads", async () => {
  const contents: Uint8Array[] = [];
  let cut = 1;
  await using server = rawServer(async (_, connection) => {
    const content = contents.at(-1)!;
    const whole = Uint8Array.from([
      ...new TextEncoder().encode(head(content.length)),
      ...content,
    ]);
    for (let at = 0; at < whole.length; at += cut) {
      await connection.send(whole.subarray(at, at + cut));
    }
  });
  using connections = new RangeConnections(NO_PROXY);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 400 }),
      async (content, pieces, memory) => {
        contents.push(content);
        cut = pieces;
        const { body } = await connections.fetch(server.url, ranged);
        deepStrictEqual(await readAll(body!, memory), new Uint8Array(content));
      },
    ),
    { numRuns: 40 },
  );
  deepStrictEqual(
    new Set(server.seen.map((it) => it.connection)),
    new Set([0]),
  );
});

Deno.test("RangeConnections sends the requests of fetch, and returns its responses", async () => {
  await using server = rawServer((_, connection) =>
    connection.send(
      `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${
        head(0, "302 Found", "Location: /b\r\nX-A: 1\r\nX-A:  2 \r\n")
      }`,
    )
  );
  using connections = new RangeConnections(NO_PROXY);
  const answer = await connections.fetch(server.url, {
    ...ranged,
    headers: { Range: "bytes=0-9", Authorization: "Bearer a" },
  });
  strictEqual(answer.status, 302);
  strictEqual(answer.body, null);
  strictEqual(answer.headers.get("location"), "/b");
  strictEqual(answer.headers.get("x-a"), "1, 2");
  const [first, ...lines] = server.seen[0]!.head.trimEnd().split("\r\n");
  strictEqual(first, "GET /file?a=b HTTP/1.1");
  deepStrictEqual(lines.sort(), [
    "accept-encoding: identity",
    "accept: */*",
    "authorization: Bearer a",
    `host: ${server.url.host}`,
    "range: bytes=0-9",
  ]);
});

Deno.test("RangeConnections reuses a connection after a whole body only, and if it stays open", async () => {
  const more = ["", "", "Connection: close\r\n", ""];
  let asked = 0;
  await using server = rawServer((_, connection) =>
    connection.send(`${head(4, "206 Partial Content", more[asked++])}four`)
  );
  using connections = new RangeConnections(NO_PROXY);
  strictEqual(await text(await connections.fetch(server.url, ranged)), "four");
  await (await connections.fetch(server.url, ranged)).body!.cancel();
  strictEqual(await text(await connections.fetch(server.url, ranged)), "four");
  strictEqual(await text(await connections.fetch(server.url, ranged)), "four");
  deepStrictEqual(server.seen.map((it) => it.connection), [0, 0, 1, 2]);
});

Deno.test("RangeConnections opens another connection after a server closes an idle one", async () => {
  await using server = rawServer(async (_, connection) => {
    await connection.send(`${head(4)}four`);
    connection.close();
  });
  using connections = new RangeConnections(NO_PROXY);
  for (let i = 0; i < 3; i++) {
    strictEqual(
      await text(await connections.fetch(server.url, ranged)),
      "four",
    );
  }
  deepStrictEqual(server.seen.map((it) => it.connection), [0, 1, 2]);
});

Deno.test("RangeConnections falls back to fetch for an origin after a response that is not plain", async () => {
  const odd = [
    "HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n",
    `${head(4, "206 Partial Content", "Content-Length: 4\r\n")}four`,
    "HTTP/1.0 206 Partial Content\r\nContent-Length: 4\r\n\r\nfour",
  ];
  for (const answer of odd) {
    await using server = rawServer((_, connection) => connection.send(answer));
    using connections = new RangeConnections(NO_PROXY);
    for (let i = 0; i < 2; i++) {
      strictEqual(
        await text(await connections.fetch(server.url, ranged)),
        "four",
      );
    }
    deepStrictEqual(
      server.seen.map((it) => BY_FETCH.test(it.head)),
      [false, true, true],
    );
  }
});

Deno.test("RangeConnections delegates redirects to fetch", async () => {
  await using server = rawServer((asked, connection) =>
    connection.send(
      asked.startsWith("GET /there")
        ? `${head(4)}four`
        : head(0, "302 Found", "Location: /there\r\n"),
    )
  );
  using connections = new RangeConnections(NO_PROXY);
  const { headers } = ranged;
  const answer = await connections.fetch(server.url, { headers: headers! });
  strictEqual(await text(answer), "four");
});

Deno.test("RangeConnections delegates requests without a range, or through a proxy, to fetch", async () => {
  await using server = rawServer((_, connection) =>
    connection.send(`${head(4)}four`)
  );
  const ask = async (variables: Map<string, string>, init: RequestInit) => {
    using connections = new RangeConnections(variables);
    await text(await connections.fetch(server.url, init));
    return BY_FETCH.test(server.seen.at(-1)!.head);
  };
  ok(await ask(NO_PROXY, {}));
  ok(await ask(NO_PROXY, { ...ranged, method: "POST", body: "a" }));
  for (const name of PROXY_VARIABLES) {
    ok(await ask(new Map([[name, "http://proxy.test"]]), ranged), name);
  }
  ok(!await ask(new Map([["HTTP_PROXY", ""]]), ranged));
});

Deno.test("RangeConnections fails for a body that ends early, after the bytes received", async () => {
  await using server = rawServer(async (_, connection) => {
    await connection.send(`${head(10)}four`);
    connection.close();
  });
  using connections = new RangeConnections(NO_PROXY);
  const { body } = await connections.fetch(server.url, ranged);
  const reader = body!.getReader();
  deepStrictEqual(
    (await reader.read()).value,
    new TextEncoder().encode("four"),
  );
  await rejects(reader.read(), /closed 6 bytes early|reset/);
});

Deno.test("RangeConnections fails without a response and without a server", async () => {
  await using server = rawServer((_, connection) =>
    Promise.resolve(connection.close())
  );
  using connections = new RangeConnections(NO_PROXY);
  await rejects(
    connections.fetch(server.url, ranged),
    /closed before a response|reset/,
  );
  const nobody = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  nobody.close();
  await rejects(
    connections.fetch(new URL(`http://127.0.0.1:${nobody.addr.port}`), ranged),
    TypeError,
  );
});

Deno.test("RangeConnections aborts a pending response and a pending body, and closes the connection", async () => {
  const sent = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const answers = ["", `${head(10)}four`];
  await using server = rawServer(async (_, connection: RawConnection) => {
    await connection.send(answers[connection.index]!);
    sent[connection.index]!.resolve();
  });
  using connections = new RangeConnections(NO_PROXY);
  const aborted = async (
    index: number,
    reading: (signal: AbortSignal) => Promise<unknown>,
  ) => {
    const controller = new AbortController();
    const all = reading(controller.signal);
    const failing = rejects(all);
    await sent[index]!.promise;
    controller.abort(new Error("enough"));
    await failing;
  };
  await aborted(
    0,
    (signal) => connections.fetch(server.url, { ...ranged, signal }),
  );
  await aborted(1, async (signal) => {
    await text(await connections.fetch(server.url, { ...ranged, signal }));
  });
  await until(() => server.left >= 2);
  const before = AbortSignal.abort(new Error("enough"));
  await rejects(
    connections.fetch(server.url, { ...ranged, signal: before }),
    /^Error: enough$/,
  );
  strictEqual(server.seen.length, 2);
});

Deno.test("RangeConnections delegates a response with an endless head to fetch", async () => {
  await using server = rawServer((_, connection) =>
    connection.send(
      connection.index === 0
        ? `HTTP/1.1 206 OK\r\nX-A: ${"a".repeat(2 ** 17)}`
        : `${head(4)}four`,
    )
  );
  using connections = new RangeConnections(NO_PROXY);
  strictEqual(await text(await connections.fetch(server.url, ranged)), "four");
  match(server.seen.at(-1)!.head, BY_FETCH);
});

Deno.test("RangeConnections accepts over TLS only certificates that the system trusts", async () => {
  const { cert, private: key } = await generate(
    [{ name: "commonName", value: "localhost" }],
    {
      keyType: "ec",
      algorithm: "sha256",
      extensions: [{
        name: "subjectAltName",
        altNames: [{ type: 2, value: "localhost" }],
      }],
    },
  );
  const seen: (string | null)[] = [];
  const content = new Uint8Array(300_000).map((_, i) => i * i);
  await using server = Deno.serve({
    hostname: "localhost",
    port: 0,
    cert,
    key,
    onListen: () => {},
  }, (request) => {
    seen.push(request.headers.get("user-agent"));
    return new Response(content, { status: 206 });
  });
  using folder = temporaryFolder();
  const script = new URL(
    "../../../support/read_ranges.ts",
    import.meta.url,
  ).pathname;
  const url = `https://localhost:${server.addr.port}/file`;
  const read = async (env: Record<string, string>) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", script, url],
      env,
    }).output();
    return new TextDecoder().decode(stdout);
  };
  strictEqual(
    await read({ DENO_CERT: folder.write("cert.pem", cert) }),
    `${sha256Of(content)}\n`.repeat(2),
  );
  deepStrictEqual(seen, [null, null]);
  match(await read({}), /certificate/);
  strictEqual(seen.length, 2);
});
