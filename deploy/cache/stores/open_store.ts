/**
 * The store that a URL names, with credentials from the usual variables.
 *
 * @module
 */

import { type RetryPolicy, UPLOAD_RETRIES } from "../retry_policy.ts";
import type { Fetch, Remote } from "../net/remote.ts";
import { awsCredentials } from "./s3/aws_credentials.ts";
import { gcsToken } from "./gcs/gcs_token.ts";
import { GcsStore } from "./gcs/gcs_store.ts";
import type { ObjectStore } from "./object_store.ts";
import { S3Store } from "./s3/s3_store.ts";
import { StoreRemote } from "./store_remote.ts";
import { WebRemote } from "./web_remote.ts";
import type { Variable } from "./s3/aws_profile.ts";

/** Options for opening a store. */
export interface StoreOptions {
  /** Retry policy of uploads; downloads use their own. */
  readonly retryPolicy: RetryPolicy;
  /** Sends requests, except those that obtain credentials. */
  readonly fetch: Fetch;
}

/**
 * Returns the place that `url` names, to download from.
 *
 * @param url A URL that begins with `s3://`, `gs://` or `https://`.
 * @throws {TypeError} When it has another scheme.
 */
export function openRemote(
  url: string,
  variable: Variable,
  options: Partial<StoreOptions> = {},
): Remote {
  return /^(s3|gs):/i.test(url)
    ? new StoreRemote(openStore(url, variable, options))
    : new WebRemote(url, options.fetch ?? fetch);
}

/**
 * Returns the bucket and prefix that `url` names.
 *
 * @throws {TypeError} When it does not name a bucket.
 */
export function openStore(
  url: string,
  variable: Variable,
  options: Partial<StoreOptions> = {},
): ObjectStore {
  const { retryPolicy = UPLOAD_RETRIES, fetch: send = fetch } = options;
  const [, scheme, bucket, path] =
    /^(s3|gs):\/\/([A-Za-z0-9][\w.-]+)(?:\/([^?#]*))?$/i.exec(url) ?? [];
  if (scheme === undefined || bucket === undefined) {
    throw new TypeError(
      "expected s3://bucket/prefix or gs://bucket/prefix, without a query",
    );
  }
  const trimmed = decoded(path ?? "").replaceAll(/^\/+|\/+$/g, "");
  const prefix = trimmed === "" ? "" : `${trimmed}/`;
  if (scheme.toLowerCase() === "gs") {
    const emulator = variable("STORAGE_EMULATOR_HOST");
    const endpoint = endpointOf(emulator, "STORAGE_EMULATOR_HOST");
    return new GcsStore({
      bucket,
      prefix,
      fetch: send,
      endpoint: endpoint ?? new URL("https://storage.googleapis.com"),
      token: endpoint === undefined
        ? gcsToken(variable)
        : () => Promise.resolve(variable("GOOGLE_OAUTH_ACCESS_TOKEN")),
    }, retryPolicy);
  }
  const given = variable("AWS_ENDPOINT_URL_S3") || variable("AWS_ENDPOINT_URL");
  return new S3Store({
    bucket,
    prefix,
    fetch: send,
    endpoint: endpointOf(given, "AWS_ENDPOINT_URL_S3"),
    region: variable("AWS_REGION") || variable("AWS_DEFAULT_REGION") ||
      (given?.includes(".r2.cloudflarestorage.com") ? "auto" : "us-east-1"),
    credentials: awsCredentials(variable),
  }, retryPolicy);
}

/** Decodes percent signs, where they are an encoding. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // The name itself has a percent sign.
    return path;
  }
}

function endpointOf(text: string | undefined, name: string): URL | undefined {
  if (!text) return undefined;
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new TypeError(`expected ${name} to be an http or https URL`);
}
