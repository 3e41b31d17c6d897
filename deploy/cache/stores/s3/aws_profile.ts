/**
 * The AWS keys of a user, from the shared credentials file.
 *
 * @module
 */

import { join } from "node:path";

/** Keys for signing requests. */
export interface AwsCredentials {
  /** Public id of the key. */
  readonly accessKeyId: string;
  /** Secret key. */
  readonly secretAccessKey: string;
  /** Session token of temporary keys. */
  readonly sessionToken: string | undefined;
  /** Expiry in milliseconds since 1970; undefined for permanent keys. */
  readonly expiresAt: number | undefined;
}

/** Looks up an environment variable. */
export type Variable = (name: string) => string | undefined;

/**
 * Returns the keys of `AWS_PROFILE`, else of `default`; undefined if there are
 * none.
 */
export async function fromProfile(
  variable: Variable,
): Promise<AwsCredentials | undefined> {
  const home = variable("HOME") ?? variable("USERPROFILE");
  const path = variable("AWS_SHARED_CREDENTIALS_FILE") ||
    (home && join(home, ".aws", "credentials"));
  if (!path) return undefined;
  let written: string;
  try {
    written = await Deno.readTextFile(path);
  } catch {
    // Missing or unreadable.
    return undefined;
  }
  const fields = section(written, variable("AWS_PROFILE") || "default");
  const accessKeyId = fields.get("aws_access_key_id");
  const secretAccessKey = fields.get("aws_secret_access_key");
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = fields.get("aws_session_token") || undefined;
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt: undefined };
}

/** Returns the fields of `[name]`. */
function section(written: string, name: string): Map<string, string> {
  const fields = new Map<string, string>();
  let within = false;
  for (const line of written.split(/\r?\n/)) {
    const title = /^\s*\[\s*(.+?)\s*\]/.exec(line)?.[1];
    if (title !== undefined) within = title === name;
    const [, key, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (within && key !== undefined) fields.set(key.toLowerCase(), value ?? "");
  }
  return fields;
}
