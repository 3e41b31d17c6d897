/**
 * The server side of AWS Signature Version 4.
 *
 * Written from its specification, independently of the client.
 *
 * @module
 */

import { createHash, createHmac } from "node:crypto";

/** The keys that a server accepts. */
export interface KnownKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
}

/** Returns the error code of a request; undefined if its signature is valid. */
export function signatureError(
  request: Request,
  body: Uint8Array,
  keys: KnownKeys,
): string | undefined {
  const { headers } = request;
  const given = headers.get("authorization") ?? "";
  const [, credential, signedHeaders, signature] =
    /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=(\w+)$/
      .exec(given) ?? [];
  if (credential === undefined) return "AccessDenied";
  const [id, date, region, service, end] = credential.split("/");
  if (id !== keys.accessKeyId) return "InvalidAccessKeyId";
  if (region !== keys.region) return "AuthorizationHeaderMalformed";
  const token = headers.get("x-amz-security-token") ?? undefined;
  if (token !== keys.sessionToken) return "InvalidToken";
  const payload = headers.get("x-amz-content-sha256") ?? "";
  if (payload !== "UNSIGNED-PAYLOAD" && payload !== hex(body)) {
    return "XAmzContentSHA256Mismatch";
  }
  const names = signedHeaders!.split(";");
  if (
    !["host", "x-amz-date", "x-amz-content-sha256"].every((name) =>
      names.includes(name)
    )
  ) return "AccessDenied";
  const url = new URL(request.url);
  const canonical = [
    request.method,
    url.pathname.split("/").map((part) => rfc3986(decodeURIComponent(part)))
      .join("/"),
    [...url.searchParams].map(([name, value]) =>
      `${rfc3986(name)}=${rfc3986(value)}`
    ).sort().join("&"),
    ...names.map((name) =>
      `${name}:${name === "host" ? url.host : headers.get(name)?.trim()}`
    ),
    "",
    signedHeaders,
    payload,
  ].join("\n");
  const stringToSign = [
    "AWS4-HMAC-SHA256",
    headers.get("x-amz-date"),
    [date, region, service, end].join("/"),
    hex(canonical),
  ].join("\n");
  let key: string | Uint8Array = `AWS4${keys.secretAccessKey}`;
  for (const part of [date!, region!, service!, end!]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  const expected = createHmac("sha256", key).update(stringToSign).digest("hex");
  return signature === expected ? undefined : "SignatureDoesNotMatch";
}

function hex(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function rfc3986(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
