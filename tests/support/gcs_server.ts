/**
 * The emulator of Cloud Storage's JSON API, in memory: pages, ranges,
 * generations, resumable uploads.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  contentAnswer,
  storedObject,
  type StoreServer,
} from "./stored_object.ts";

/** Name of the only bucket. */
export const GCS_BUCKET = "models";

/** Token that the server accepts. */
export const GCS_TOKEN = "ya29.a-token";

/** A resumable upload. */
interface Session {
  readonly key: string;
  readonly sha256: string | undefined;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A running emulator. */
export interface GcsServer extends StoreServer {
  /** Environment variables that direct a client here. */
  readonly variables: Readonly<Record<string, string>>;
  /** Limit of a request body in bytes, after which the connection is closed. */
  takes: number;
}

/**
 * Starts an emulator.
 *
 * @param pageSize Objects per page.
 */
export function openGcsServer(pageSize = 1000): GcsServer {
  const sessions = new Map<string, Session>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = new Uint8Array(await request.arrayBuffer());
      store.log.push(`${request.method} ${pathname}${search}`);
      const fault = store.fault(request);
      if (fault !== undefined) return fault;
      if (request.headers.get("authorization") !== `Bearer ${GCS_TOKEN}`) {
        return new Response("{}", { status: 401 });
      }
      return pathname.startsWith("/upload/")
        ? upload(request, body, store, sessions)
        : answer(request, store, pageSize);
    },
  );
  const endpoint = `http://127.0.0.1:${server.addr.port}`;
  const store: GcsServer = {
    endpoint,
    variables: {
      STORAGE_EMULATOR_HOST: endpoint,
      GOOGLE_OAUTH_ACCESS_TOKEN: GCS_TOKEN,
    },
    takes: Infinity,
    objects: new Map(),
    log: [],
    fault: () => undefined,
    store: (key, content) => {
      const bytes = typeof content === "string"
        ? new TextEncoder().encode(content)
        : content;
      store.objects.set(key, storedObject(bytes));
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return store;
}

function answer(
  request: Request,
  { objects }: GcsServer,
  pageSize: number,
): Response {
  const { pathname, searchParams: query } = new URL(request.url);
  const [, bucket, name] =
    /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(pathname) ?? [];
  if (bucket !== GCS_BUCKET) return json({ error: { code: 404 } }, 404);
  if (name === undefined) {
    const prefix = query.get("prefix") ?? "";
    const after = query.get("pageToken") ?? "";
    const keys = [...objects.keys()]
      .filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, pageSize);
    return json({
      items: page.map((key) => resource(key, objects)),
      ...keys.length > page.length ? { nextPageToken: page.at(-1) } : {},
    });
  }
  const key = decodeURIComponent(name);
  const object = objects.get(key);
  if (object === undefined) return json({ error: { code: 404 } }, 404);
  if (request.method === "DELETE") {
    objects.delete(key);
    return new Response(null, { status: 204 });
  }
  const wanted = query.get("ifGenerationMatch");
  if (wanted !== null && wanted !== String(object.generation)) {
    return json({ error: { code: 412 } }, 412);
  }
  return query.get("alt") === "media"
    ? contentAnswer(request, object)
    : json(resource(key, objects));
}

function upload(
  request: Request,
  body: Uint8Array<ArrayBuffer>,
  store: GcsServer,
  sessions: Map<string, Session>,
): Response {
  const { searchParams: query, pathname } = new URL(request.url);
  if (!pathname.startsWith(`/upload/storage/v1/b/${GCS_BUCKET}/o`)) {
    return json({ error: { code: 404 } }, 404);
  }
  const key = query.get("name") ?? "";
  const id = query.get("upload_id");
  if (id === null && query.get("uploadType") === "media") {
    store.objects.set(key, storedObject(body));
    return json(resource(key, store.objects));
  }
  if (id === null) {
    const fresh = crypto.randomUUID();
    const { metadata } = JSON.parse(new TextDecoder().decode(body));
    const sha256 = metadata?.sha256;
    sessions.set(fresh, { key, sha256, bytes: new Uint8Array(0) });
    const location =
      `${store.endpoint}${pathname}?uploadType=resumable&upload_id=${fresh}`;
    return new Response(null, { headers: { location } });
  }
  const session = sessions.get(id);
  if (session === undefined) return json({ error: { code: 404 } }, 404);
  const [, start, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(
    request.headers.get("content-range") ?? "",
  ) ?? [];
  if (start !== undefined && Number(start) !== session.bytes.length) {
    return json({ error: { code: 503 } }, 503);
  }
  const taken = body.subarray(0, store.takes);
  const longer = new Uint8Array(session.bytes.length + taken.length);
  longer.set(session.bytes);
  longer.set(taken, session.bytes.length);
  session.bytes = longer;
  if (session.bytes.length < Number(total)) {
    const range: Record<string, string> = session.bytes.length === 0
      ? {}
      : { range: `bytes=0-${session.bytes.length - 1}` };
    return new Response(null, { status: 308, headers: range });
  }
  const { bytes, sha256 } = session;
  store.objects.set(session.key, storedObject(bytes, { sha256 }));
  return json(resource(session.key, store.objects));
}

function resource(key: string, objects: GcsServer["objects"]) {
  const { bytes, generation, sha256 } = objects.get(key)!;
  return {
    name: key,
    size: String(bytes.length),
    generation: String(generation),
    md5Hash: createHash("md5").update(bytes).digest("base64"),
    ...sha256 === undefined ? {} : { metadata: { sha256 } },
  };
}

function json(value: unknown, status = 200): Response {
  return Response.json(value, { status });
}
