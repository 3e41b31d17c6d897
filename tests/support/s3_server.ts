/**
 * The emulator of S3, in memory: signatures, pages, ranges, conditions,
 * multipart uploads.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type KnownKeys, signatureError } from "./s3_signature.ts";
import {
  contentAnswer,
  storedObject,
  type StoreServer,
} from "./stored_object.ts";

/** A multipart upload. */
interface Upload {
  readonly key: string;
  readonly sha256: string | undefined;
  readonly parts: Map<number, Uint8Array<ArrayBuffer>>;
}

/** A running emulator. */
export interface S3Server extends StoreServer {
  /** Environment variables that direct a client here. */
  readonly variables: Readonly<Record<string, string>>;
  /** Uploads that were neither completed nor aborted, by id. */
  readonly uploads: Map<string, Upload>;
}

/** Name of the only bucket. */
export const BUCKET = "models";

const KEYS = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "a session's token",
  region: "eu-central-1",
};

/**
 * Starts an emulator.
 *
 * @param pageSize Objects or parts per page.
 */
export function openS3Server(pageSize = 1000): S3Server {
  const uploads = new Map<string, Upload>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { method, url } = request;
      const { pathname, search } = new URL(url);
      const body = new Uint8Array(await request.arrayBuffer());
      store.log.push(`${method} ${pathname}${search}`);
      const fault = store.fault(request);
      if (fault !== undefined) return fault;
      const unsigned = signatureError(request, body, KEYS);
      if (unsigned !== undefined) return failed(403, unsigned);
      return answer(request, body, store, pageSize);
    },
  );
  const endpoint = `http://127.0.0.1:${server.addr.port}`;
  const store: S3Server = {
    endpoint,
    variables: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
      AWS_SESSION_TOKEN: KEYS.sessionToken,
      AWS_REGION: KEYS.region,
    },
    objects: new Map(),
    uploads,
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

/** Keys that the server accepts. */
export const S3_KEYS: KnownKeys = KEYS;

function answer(
  request: Request,
  body: Uint8Array<ArrayBuffer>,
  store: S3Server,
  pageSize: number,
): Response {
  const { pathname, searchParams } = new URL(request.url);
  const [bucket = "", ...rest] = pathname.slice(1).split("/");
  if (bucket !== BUCKET) return failed(404, "NoSuchBucket");
  const key = rest.map(decodeURIComponent).join("/");
  if (searchParams.has("uploads") || searchParams.has("uploadId")) {
    return multipart(request, key, body, store, pageSize);
  }
  if (key === "") return listed(searchParams, store, pageSize);
  const sha256 = request.headers.get("x-amz-meta-sha256") ?? undefined;
  if (request.method === "PUT") {
    const object = storedObject(body, { sha256 });
    store.objects.set(key, object);
    return new Response(null, { headers: { etag: `"${object.etag}"` } });
  }
  if (request.method === "DELETE") {
    store.objects.delete(key);
    return new Response(null, { status: 204 });
  }
  const object = store.objects.get(key);
  if (object === undefined) return failed(404, "NoSuchKey");
  const wanted = request.headers.get("if-match");
  if (wanted !== null && wanted !== `"${object.etag}"`) {
    return failed(412, "PreconditionFailed");
  }
  return contentAnswer(request, object);
}

function listed(
  query: URLSearchParams,
  { objects }: S3Server,
  pageSize: number,
): Response {
  const prefix = query.get("prefix") ?? "";
  const after = query.get("continuation-token") ?? "";
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix))
    .sort().filter((key) => key > after);
  const page = keys.slice(0, pageSize);
  const more = keys.length > page.length;
  const contents = page.map((key) => {
    const { bytes, etag } = objects.get(key)!;
    const name = encodeURIComponent(key).replaceAll("%20", "+");
    return `<Contents><Key>${name}</Key><ETag>&quot;${etag}&quot;</ETag>` +
      `<Size>${bytes.length}</Size></Contents>`;
  });
  const next = more
    ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
    : "";
  return xml(
    `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
      `<EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>` +
      `${contents.join("")}${next}</ListBucketResult>`,
  );
}

function multipart(
  request: Request,
  key: string,
  body: Uint8Array<ArrayBuffer>,
  { objects, uploads }: S3Server,
  pageSize: number,
): Response {
  const { searchParams: query } = new URL(request.url);
  if (query.has("uploads") && request.method === "GET") {
    const found = [...uploads].filter(([, upload]) =>
      upload.key.startsWith(query.get("prefix") ?? "")
    ).map(([id, upload]) =>
      `<Upload><Key>${upload.key}</Key><UploadId>${id}</UploadId></Upload>`
    );
    return xml(
      `<ListMultipartUploadsResult>${
        found.join("")
      }</ListMultipartUploadsResult>`,
    );
  }
  if (query.has("uploads")) {
    const id = crypto.randomUUID();
    const sha256 = request.headers.get("x-amz-meta-sha256") ?? undefined;
    uploads.set(id, { key, sha256, parts: new Map() });
    return xml(
      `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    );
  }
  const id = query.get("uploadId")!;
  const upload = uploads.get(id);
  if (upload?.key !== key) return failed(404, "NoSuchUpload");
  switch (request.method) {
    case "PUT":
      upload.parts.set(Number(query.get("partNumber")), body);
      return new Response(null, { headers: { etag: `"${md5(body)}"` } });
    case "DELETE":
      uploads.delete(id);
      return new Response(null, { status: 204 });
    case "GET":
      return parts(upload, Number(query.get("part-number-marker")), pageSize);
    default: {
      const named = [
        ...new TextDecoder().decode(body).matchAll(
          /<PartNumber>(\d+)<\/PartNumber><ETag>"(\w+)"<\/ETag>/g,
        ),
      ];
      const chosen = named.map(([, number, tag]) => {
        const part = upload.parts.get(Number(number));
        return part !== undefined && md5(part) === tag ? part : undefined;
      });
      if (chosen.length === 0 || chosen.includes(undefined)) {
        return xml("<Error><Code>InvalidPart</Code></Error>");
      }
      uploads.delete(id);
      const whole = chosen.flatMap((part) => part === undefined ? [] : [part]);
      const etag = `${md5(join(whole.map(digest)))}-${whole.length}`;
      const { sha256 } = upload;
      objects.set(key, storedObject(join(whole), { etag, sha256 }));
      return xml(
        "<CompleteMultipartUploadResult><Key/></CompleteMultipartUploadResult>",
      );
    }
  }
}

function parts(upload: Upload, after: number, pageSize: number): Response {
  const all = [...upload.parts].sort(([a], [b]) => a - b)
    .filter(([number]) => number > after);
  const page = all.slice(0, pageSize);
  const list = page.map(([number, bytes]) =>
    `<Part><PartNumber>${number}</PartNumber><ETag>"${
      md5(bytes)
    }"</ETag></Part>`
  );
  return xml(
    `<ListPartsResult>${list.join("")}<IsTruncated>${
      all.length > page.length
    }</IsTruncated><NextPartNumberMarker>${
      page.at(-1)?.[0] ?? after
    }</NextPartNumberMarker></ListPartsResult>`,
  );
}

/** Creates an error in S3's format. */
export function failed(
  status: number,
  code: string,
  headers: Record<string, string> = {},
): Response {
  const body = `<Error><Code>${code}</Code><Message>words</Message></Error>`;
  return new Response(body, { status, headers });
}

function xml(body: string): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`, {
    headers: { "content-type": "application/xml" },
  });
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

function digest(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("md5").update(bytes).digest());
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
