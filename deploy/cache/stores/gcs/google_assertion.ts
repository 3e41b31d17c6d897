/**
 * The signed assertion with which a service account requests a token (RFC
 * 7523).
 *
 * @module
 */

import { type JsonRecord, textField } from "../json_answer.ts";

const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";
const LIFETIME_S = 3600;

/**
 * Returns a signed assertion that requests a token for the owner of the key.
 *
 * @param account The key file of a service account.
 * @param nowMs Current time, in milliseconds since 1970.
 */
export async function assertionOf(
  account: JsonRecord,
  audience: string,
  nowMs: number,
): Promise<string> {
  const at = Math.floor(nowMs / 1000);
  const header = {
    alg: "RS256",
    typ: "JWT",
    kid: textField(account, "private_key_id"),
  };
  const claims = {
    iss: textField(account, "client_email"),
    scope: SCOPE,
    aud: audience,
    iat: at,
    exp: at + LIFETIME_S,
  };
  const signed = `${base64Url(header)}.${base64Url(claims)}`;
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey(
    "pkcs8",
    keyBytes(textField(account, "private_key")),
    algorithm,
    false,
    ["sign"],
  );
  const signature = await crypto.subtle.sign(
    algorithm,
    key,
    new TextEncoder().encode(signed),
  );
  return `${signed}.${encode(new Uint8Array(signature))}`;
}

function keyBytes(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(pem.replaceAll(/-----[^-]+-----|\s/g, ""));
}

function base64Url(value: unknown): string {
  return encode(new TextEncoder().encode(JSON.stringify(value)));
}

function encode(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
