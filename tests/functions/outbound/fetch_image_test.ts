import { deepStrictEqual, match, ok, rejects } from "node:assert/strict";
import { OverloadedError } from "../../../lib/errors.ts";
import { pictureFetcher } from "../../../functions/outbound/fetch_image.ts";
import type { OutboundNetwork } from "../../../functions/outbound/request.ts";
import { InvalidFieldsError } from "../../../functions/http/errors/errors.ts";
import { HOST, openHttpsServer } from "../../support/https_server.ts";
import { json, openTinyServer } from "../../support/tiny_server.ts";

const PICTURE = Uint8Array.of(1, 2, 3);
const picture = () => new Response(PICTURE);
const call = () => ({ signal: new AbortController().signal });

/** Returns the reason why `url` was not fetched. */
async function refusal(
  network: OutboundNetwork,
  url: string,
  options = { maxBytes: 100 },
): Promise<string> {
  const fetched = pictureFetcher(network, options)(url, "/image", call());
  let told: unknown;
  await rejects(fetched, (error) => {
    told = error;
    return true;
  });
  ok(told instanceof InvalidFieldsError, String(told));
  const [field, more] = told.fields;
  deepStrictEqual([field!.pointer, more], ["/image", undefined]);
  return field!.detail;
}

Deno.test("pictureFetcher() fetches a picture from a public host, without identifying the caller", async () => {
  const seen: unknown[] = [];
  await using server = await openHttpsServer(({ url, headers }) => {
    seen.push(url, [...headers.keys()].sort());
    return picture();
  });
  const fetchPicture = pictureFetcher(server.network, { maxBytes: 3 });
  const url = `${server.url}/a%20b.png?c=d#e`;
  deepStrictEqual((await fetchPicture(url, "/image", call())).bytes, PICTURE);
  deepStrictEqual(seen, [
    `${server.url}/a%20b.png?c=d`,
    ["accept", "accept-encoding", "connection", "host", "user-agent"],
  ]);
});

Deno.test("pictureFetcher() fetches https URLs only, also after a redirect", async () => {
  await using server = await openHttpsServer(() =>
    new Response(null, {
      status: 302,
      headers: { location: `http://${HOST}/` },
    })
  );
  const nowhere = { ...server.network, resolve: () => Promise.reject() };
  const bare = server.url.replace("https:", "http:");
  match(await refusal(nowhere, bare), /only https/);
  match(
    await refusal(nowhere, server.url.replace("//", "//user:word@")),
    /without credentials/,
  );
  match(await refusal(nowhere, "https://"), /not a URL/);
  match(
    await refusal(nowhere, `${server.url}/${"a".repeat(9000)}`),
    /not a URL/,
  );
  match(await refusal(server.network, server.url), /only https/);
});

Deno.test("pictureFetcher() does not contact a host if one of its addresses is not allowed", async () => {
  let asked = 0;
  await using server = await openHttpsServer(() => {
    asked++;
    return picture();
  });
  const mixed = (...addresses: string[]) => ({
    ...server.network,
    resolve: () => Promise.resolve(addresses),
  });
  for (const addresses of [["127.0.0.1", "10.0.0.1"], ["127.0.0.2"], []]) {
    match(
      await refusal(mixed(...addresses), server.url),
      /no public address/,
    );
  }
  deepStrictEqual(asked, 0);
});

Deno.test("pictureFetcher() reports a missing host like an internal one", async () => {
  await using server = await openHttpsServer(picture);
  const missing = {
    ...server.network,
    resolve: () => Promise.reject(new Error("ENOTFOUND secret.inner")),
  };
  const inside = { ...server.network, allows: () => false };
  deepStrictEqual(
    await refusal(missing, server.url),
    await refusal(inside, server.url),
  );
});

Deno.test("pictureFetcher() connects to the checked address", async () => {
  await using server = await openHttpsServer(picture);
  const answers = [["127.0.0.1"], ["127.0.0.9"]];
  const resolve = () => Promise.resolve(answers.shift()!);
  const rebinding = { ...server.network, resolve };
  const fetchPicture = pictureFetcher(rebinding, { maxBytes: 3 });
  deepStrictEqual(
    (await fetchPicture(server.url, "", call())).bytes,
    PICTURE,
  );
  deepStrictEqual(answers, [["127.0.0.9"]], "resolved once");
  match(await refusal(rebinding, server.url), /no public address/);
});

Deno.test("pictureFetcher() checks every redirect like the first URL", async () => {
  await using server = await openHttpsServer((request) => {
    const { pathname, port } = new URL(request.url);
    const location = {
      "/relative": "/picture",
      "/inside": `https://inner.test:${port}/picture`,
      "/literal": `https://10.0.0.1:${port}/picture`,
      "/metadata": "https://[fd00:ec2::254]/latest",
    }[pathname];
    return location === undefined
      ? picture()
      : new Response("x".repeat(999), { status: 307, headers: { location } });
  });
  const network = {
    ...server.network,
    resolve: (host: string) =>
      Promise.resolve([
        { [HOST]: "127.0.0.1", "inner.test": "192.168.0.1" }[host] ?? host,
      ]),
  };
  const fetchPicture = pictureFetcher(network, { maxBytes: 3 });
  const relative = await fetchPicture(`${server.url}/relative`, "", call());
  deepStrictEqual(relative.bytes, PICTURE);
  for (const path of ["inside", "literal", "metadata"]) {
    const detail = await refusal(network, `${server.url}/${path}`);
    match(detail, /no public address/);
  }
});

Deno.test("pictureFetcher() limits the number of redirects", async () => {
  let asked = 0;
  await using server = await openHttpsServer(() => {
    const headers = { location: `/${asked++}` };
    return new Response(null, { status: 301, headers });
  });
  match(await refusal(server.network, server.url), /more than 3 times/);
  deepStrictEqual(asked, 4);
});

Deno.test("pictureFetcher() requires a valid certificate", async () => {
  await using server = await openHttpsServer(picture);
  const other = server.url.replace(HOST, "other.test");
  const stranger = { ...server.network, ca: undefined };
  match(await refusal(server.network, other), /cannot be reached by https/);
  match(await refusal(stranger, server.url), /cannot be reached by https/);
});

Deno.test("pictureFetcher() reports a closed port without the system's message", async () => {
  await using server = await openHttpsServer(picture);
  const { network, url } = server;
  const closed = { ...network, resolve: () => Promise.resolve(["127.9.9.9"]) };
  const open = { ...closed, allows: () => true };
  const detail = await refusal(open, url);
  deepStrictEqual(
    detail,
    "cannot be fetched: its host cannot be reached by https",
  );
});

Deno.test("pictureFetcher() reports an answer without a picture by its status only", async () => {
  await using server = await openHttpsServer(() =>
    new Response("secret", { status: 403 })
  );
  const detail = await refusal(server.network, server.url);
  deepStrictEqual(
    detail,
    "cannot be fetched: its server responds with status 403",
  );
});

Deno.test("pictureFetcher() reads up to the limit, with or without Content-Length", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = await openHttpsServer((request) => {
    if (request.url.endsWith("/told")) return new Response(new Uint8Array(101));
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(64)),
      cancel: () => ended.resolve(),
    });
    return new Response(endless);
  });
  match(await refusal(server.network, `${server.url}/told`), /MAX_BODY_BYTES/);
  match(await refusal(server.network, server.url), /MAX_BODY_BYTES/);
  await ended.promise;
});

Deno.test("pictureFetcher() shares one limit among the pictures of a request", async () => {
  await using server = await openHttpsServer(picture);
  const fetchPicture = pictureFetcher(server.network, { maxBytes: 8 });
  const one = call();
  await fetchPicture(server.url, "", one);
  await fetchPicture(server.url, "", one);
  await rejects(fetchPicture(server.url, "", one), /MAX_BODY_BYTES/);
  deepStrictEqual(
    (await fetchPicture(server.url, "", call())).bytes,
    PICTURE,
  );
});

Deno.test("pictureFetcher() limits the bytes of all requests to four bodies", async () => {
  await using server = await openHttpsServer(picture);
  const fetchPicture = pictureFetcher(server.network, { maxBytes: 8 });
  const fetchAs = (caller: string) =>
    fetchPicture(server.url, "", { ...call(), caller });
  const held = [];
  for (let bytes = 0; bytes < 24; bytes += 3) held.push(await fetchAs("a"));
  await rejects(fetchAs("a"), OverloadedError);
  // Another caller has room; a refused fetch holds nothing.
  const other = await fetchAs("b");
  other[Symbol.dispose]();
  held[0]![Symbol.dispose]();
  held.push(await fetchAs("a"));
  await rejects(fetchAs("a"), OverloadedError);
});

Deno.test("pictureFetcher() fetches four pictures of a request at a time, and all in the end", async () => {
  let now = 0;
  let most = 0;
  const four = Promise.withResolvers<void>();
  await using server = await openHttpsServer(async () => {
    most = Math.max(most, ++now);
    if (now === 4) four.resolve();
    await four.promise;
    now--;
    return picture();
  });
  const fetchPicture = pictureFetcher(server.network, { maxBytes: 99 });
  const one = call();
  const all = await Promise.all(
    Array.from({ length: 12 }, () => fetchPicture(server.url, "", one)),
  );
  deepStrictEqual(all.map(({ bytes }) => bytes), Array(12).fill(PICTURE));
  deepStrictEqual(most, 4);
});

Deno.test("pictureFetcher() times out for a host that is slow or silent", async () => {
  const silent = () => new Promise<Response>(() => {});
  const dribble = () =>
    new Response(
      new ReadableStream({ start: (c) => c.enqueue(Uint8Array.of(1)) }),
    );
  const ended = new AbortController();
  await using server = await openHttpsServer((request) =>
    request.url.endsWith("/silent")
      ? Promise.race([
        silent(),
        new Promise<Response>((resolve) =>
          ended.signal.addEventListener("abort", () => resolve(picture()))
        ),
      ])
      : dribble()
  );
  const hurried = { maxBytes: 100, timeMs: 200 };
  const never = {
    ...server.network,
    resolve: () => new Promise<readonly string[]>(() => {}),
  };
  match(await refusal(never, server.url, hurried), /timed out/);
  const { network, url } = server;
  match(await refusal(network, `${url}/silent`, hurried), /timed out/);
  match(await refusal(network, url, hurried), /timed out/);
  ended.abort();
});

Deno.test("pictureFetcher() aborts with the client's reason when it leaves", async () => {
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<Response>();
  await using server = await openHttpsServer(() => {
    asked.resolve();
    return left.promise;
  });
  const leave = new AbortController();
  const fetchPicture = pictureFetcher(server.network, { maxBytes: 3 });
  const fetched = fetchPicture(server.url, "", leave);
  await asked.promise;
  const gone = new DOMException("gone", "AbortError");
  leave.abort(gone);
  await rejects(fetched, (error) => error === gone);
  left.resolve(picture());
});

Deno.test("App fetches pictures by URL only if that is enabled", async () => {
  const png = await Deno.readFile(
    new URL("../../golden/lm_image.png", import.meta.url),
  );
  await using pictures = await openHttpsServer(() => new Response(png));
  const body = json({ image: `${pictures.url}/a.png` });
  const functions = new Set(["tokenize"] as const);
  await using closed = await openTinyServer({ functions });
  const refused = await closed.app.request("/v1/tokenize", body);
  deepStrictEqual(refused.status, 422);
  match((await refused.json()).detail, /URLs are disabled/);
  const pictureNetwork = pictures.network;
  await using open = await openTinyServer({ functions, pictureNetwork });
  const byUrl = await open.app.request("/v1/tokenize", body);
  const whole = json({ image: png.toBase64() });
  const direct = await open.app.request("/v1/tokenize", whole);
  deepStrictEqual(byUrl.status, 200);
  deepStrictEqual(await byUrl.json(), await direct.json());
});
