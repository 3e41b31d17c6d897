/**
 * The identity of a Restate server's requests: a key pair, whose private part
 * signs them and whose public part the service checks.
 *
 * @module
 */

import { join } from "node:path";

/** The key pair of a server. */
export interface RequestIdentity {
  /** Path of the private key, in PEM. */
  readonly file: string;
  /** Public key, as the service takes it. */
  readonly publicKey: string;
}

/** Digits of base58: without those that look alike. */
const DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Returns the key pair in `folder`, made if it is not there. */
export async function requestIdentity(
  folder: string,
): Promise<RequestIdentity> {
  const file = join(folder, "identity.pem");
  const known = await Deno.readTextFile(file).catch(() => undefined);
  const text = known ?? await newKey(file);
  return { file, publicKey: await publicKeyOf(text) };
}

async function newKey(file: string): Promise<string> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const bytes = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  const base64 = new Uint8Array(bytes).toBase64();
  const text =
    `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
  await Deno.writeTextFile(file, text, { mode: 0o600 });
  return text;
}

/** Returns the public part of a private key in PEM. */
async function publicKeyOf(pem: string): Promise<string> {
  const bytes = Uint8Array.fromBase64(pem.replaceAll(/-----[^-]+-----/g, ""));
  const key = await crypto.subtle.importKey("pkcs8", bytes, "Ed25519", true, [
    "sign",
  ]);
  const { x } = await crypto.subtle.exportKey("jwk", key);
  const raw = Uint8Array.fromBase64(x!, { alphabet: "base64url" });
  return `publickeyv1_${base58(raw)}`;
}

/** Returns bytes in base58, a number whose leading zeros are ones. */
export function base58(bytes: Uint8Array): string {
  let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = "";
  for (; number > 0n; number /= 58n) text = DIGITS[Number(number % 58n)] + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros < 0 ? bytes.length : zeros) + text;
}
