/**
 * The key pair of request identity: Restate signs its requests with the private
 * key, and the service accepts only those of the public key.
 *
 * @module
 */

import { OptionsError } from "../options.ts";

/** Commands that create the key pair of request identity. */
export const IDENTITY_STEPS: readonly string[] = [
  "openssl genpkey -algorithm ed25519 -out identity.pem",
  "deno task -q deploy workflows identity-key identity.pem > identity.pub",
];

const PREFIX = "publickeyv1_";
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/**
 * Returns the public key of a private key, as the service takes it.
 *
 * @param pem Private Ed25519 key in PKCS #8, as `openssl genpkey` writes it.
 * @throws {OptionsError} If it is not such a key.
 */
export async function identityPublicKey(pem: string): Promise<string> {
  const base64 = /-----BEGIN PRIVATE KEY-----([^-]+)-----END/.exec(pem)?.[1];
  try {
    const key = await crypto.subtle.importKey(
      "pkcs8",
      Uint8Array.fromBase64(base64!.replaceAll(/\s/g, "")),
      "Ed25519",
      true,
      ["sign"],
    );
    const { x } = await crypto.subtle.exportKey("jwk", key);
    const bytes = Uint8Array.fromBase64(x!, { alphabet: "base64url" });
    return `${PREFIX}${base58(bytes)}`;
  } catch (cause) {
    throw new OptionsError(
      "the file is no private Ed25519 key; create one with: openssl genpkey -algorithm ed25519 -out identity.pem",
      { cause },
    );
  }
}

/** Encodes bytes in the alphabet of Bitcoin. */
function base58(bytes: Uint8Array): string {
  let value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let digits = "";
  for (; value > 0n; value /= 58n) {
    digits = BASE58[Number(value % 58n)] + digits;
  }
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return BASE58[0]!.repeat(Math.max(zeros, 0)) + digits;
}
