/**
 * The access token for Google Cloud, from the usual sources.
 *
 * ```text
 * GOOGLE_OAUTH_ACCESS_TOKEN        a token
 * GOOGLE_APPLICATION_CREDENTIALS   a file: of a service account, or a user's
 * ~/.config/gcloud/…               the file of `gcloud auth application-default`
 * the metadata server              the machine's service account
 * ```
 *
 * The first source found is used. Tokens are renewed before they expire.
 *
 * @module
 */

import { join } from "node:path";
import { RemoteError } from "../../net/remote.ts";
import { refusal, unanswered } from "../answer.ts";
import { assertionOf } from "./google_assertion.ts";
import { type JsonRecord, readRecord, textField } from "../json_answer.ts";
import type { Variable } from "../s3/aws_profile.ts";

/** A token and its expiry. */
interface Token {
  readonly text: string;
  readonly expiresAt: number;
}

const EARLY_MS = 5 * 60_000;
const METADATA_TIMEOUT_MS = 1000;
const TIMEOUT_MS = 10_000;
const FOREVER = new AbortController().signal;

const GOOGLE_TOKENS = "https://oauth2.googleapis.com/token";

/**
 * Returns a provider of current tokens; undefined if there is no source.
 *
 * @param now A clock, in milliseconds since 1970.
 */
export function gcsToken(
  variable: Variable,
  now: () => number = Date.now,
): () => Promise<string | undefined> {
  let found: Promise<Token | undefined> | undefined;
  let expiresAt = Infinity;
  return async () => {
    if (found === undefined || now() > expiresAt - EARLY_MS) {
      const pending = find(variable, now);
      found = pending;
      expiresAt = Infinity;
      pending.then(
        (token) => expiresAt = token?.expiresAt ?? Infinity,
        // The next call tries again.
        () => found = undefined,
      );
    }
    return (await found)?.text;
  };
}

async function find(
  variable: Variable,
  now: () => number,
): Promise<Token | undefined> {
  const given = variable("GOOGLE_OAUTH_ACCESS_TOKEN");
  if (given) return { text: given, expiresAt: Infinity };
  const named = variable("GOOGLE_APPLICATION_CREDENTIALS");
  if (named) return await fromFile(named, now);
  const home = variable("HOME");
  const folder = variable("CLOUDSDK_CONFIG") ||
    (home && join(home, ".config", "gcloud"));
  const usual = folder && join(folder, "application_default_credentials.json");
  if (usual && await isFile(usual)) return await fromFile(usual, now);
  return await fromMetadata(variable, now);
}

async function fromFile(
  path: string,
  now: () => number,
): Promise<Token | undefined> {
  const unusable = (reason: string, cause?: unknown) =>
    new RemoteError(
      `Cannot use the credentials in ${path}: ${reason}`,
      { type: "elsewhere" },
      { cause },
    );
  let fields: JsonRecord;
  try {
    fields = { ...JSON.parse(await Deno.readTextFile(path)) };
  } catch {
    // The cause of a JSON error would show the file's content.
    throw unusable("it cannot be read as JSON; check the path");
  }
  const type = textField(fields, "type");
  const url = textField(fields, "token_uri") || GOOGLE_TOKENS;
  if (type === "service_account") {
    const assertion = await assertionOf(fields, url, now()).catch(() => {
      throw unusable("its private key cannot be read; download it again");
    });
    return await exchange(url, now, {
      "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion,
    });
  }
  if (type === "authorized_user") {
    return await exchange(url, now, {
      "grant_type": "refresh_token",
      "refresh_token": textField(fields, "refresh_token"),
      "client_id": textField(fields, "client_id"),
      "client_secret": textField(fields, "client_secret"),
    });
  }
  throw unusable(
    `type "${type}" is not service_account or authorized_user; ` +
      "set a token in GOOGLE_OAUTH_ACCESS_TOKEN",
  );
}

async function exchange(
  url: string,
  now: () => number,
  form: Readonly<Record<string, string>>,
): Promise<Token> {
  const what = "get a token from Google";
  return await readToken(what, now, () =>
    fetch(url, {
      method: "POST",
      body: new URLSearchParams(form),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }));
}

async function fromMetadata(
  variable: Variable,
  now: () => number,
): Promise<Token | undefined> {
  const host = variable("GCE_METADATA_HOST") || "metadata.google.internal";
  const url =
    `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  let answer: Response;
  try {
    answer = await fetch(url, {
      headers: { "metadata-flavor": "Google" },
      signal: AbortSignal.timeout(METADATA_TIMEOUT_MS),
    });
  } catch {
    // No metadata server: this machine is not in Google Cloud.
    return undefined;
  }
  if (answer.status === 404) {
    await answer.body?.cancel();
    // The machine has no service account.
    return undefined;
  }
  const what = "get a token from the metadata server";
  return await readToken(what, now, () => Promise.resolve(answer));
}

async function readToken(
  what: string,
  now: () => number,
  fetchAnswer: () => Promise<Response>,
): Promise<Token> {
  const context = { what, access: "check the service account" };
  let answer: Response;
  try {
    answer = await fetchAnswer();
  } catch (cause) {
    throw unanswered(context, cause, FOREVER);
  }
  if (!answer.ok) {
    await answer.body?.cancel();
    // The service reports an invalid key as 400.
    const status = answer.status === 400 ? 401 : answer.status;
    throw refusal(context, { status, headers: answer.headers });
  }
  const fields = await readRecord(answer, what, FOREVER);
  const text = textField(fields, "access_token");
  const seconds = Number(fields["expires_in"] ?? 0);
  if (text === "") {
    throw refusal(context, { status: 401, headers: new Headers() });
  }
  return { text, expiresAt: now() + 1000 * seconds };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    // Missing or unreadable.
    return false;
  }
}
