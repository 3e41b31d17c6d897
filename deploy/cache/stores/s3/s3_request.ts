/**
 * The signed requests to a bucket of the S3 protocol.
 *
 * ```text
 * Amazon       https://<bucket>.s3.<region>.amazonaws.com/<key>
 * an endpoint  https://<endpoint>/<bucket>/<key>
 * ```
 *
 * The payload's hash is part of the signature, so the store refuses bytes that
 * were damaged in transit. Without credentials requests are unsigned, as public
 * buckets allow.
 *
 * @module
 */

import { AwsV4Signer } from "aws4fetch";
import { type Fetch, RemoteError } from "../../net/remote.ts";
import { refusal, type RequestContext, unanswered } from "../answer.ts";
import { boundedText } from "../bounded_text.ts";
import { errorCode } from "./s3_xml.ts";
import type { AwsCredentials } from "./aws_profile.ts";

/** Location of a bucket and access to it. */
export interface S3Settings {
  /** Name of the bucket. */
  readonly bucket: string;
  /**
   * URL of the service, such as `https://<account>.r2.cloudflarestorage.com`;
   * undefined for Amazon.
   */
  readonly endpoint: URL | undefined;
  /** Region, such as `eu-central-1`; Amazon redirects to the right one. */
  readonly region: string;
  /** Sends requests. */
  readonly fetch: Fetch;
  /** Returns the current credentials; undefined for anonymous requests. */
  readonly credentials: () => Promise<AwsCredentials | undefined>;
}

/** A request to a bucket. */
export interface S3Request {
  /** Action of the request, for messages. */
  readonly what: string;
  /** Method; GET by default. */
  readonly method?: string;
  /** Key of the object; empty for the bucket. */
  readonly key: string;
  /** Query, as signed. */
  readonly query?: Readonly<Record<string, string>>;
  /** Headers besides those of the signature. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Body of the request. */
  readonly body?: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the body in hex, if it is already known. */
  readonly sha256?: string;
  /** True if 404 is a valid response. */
  readonly maybeMissing?: boolean;
}

const ACCESS =
  "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they may do";

const EMPTY_SHA256 =
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const MAX_ERROR_BYTES = 2 ** 16;

/** A client of one bucket. */
export class S3Requests {
  readonly #settings: S3Settings;
  readonly #keys = new Map<string, ArrayBuffer>();
  #region: string;

  /** Creates a client; sends no request yet. */
  constructor(settings: S3Settings) {
    this.#settings = settings;
    this.#region = settings.region;
  }

  /**
   * Returns a successful response; redirects to another region are followed
   * once.
   *
   * @throws {RemoteError} When the response is not successful.
   */
  async send(request: S3Request, signal: AbortSignal): Promise<Response> {
    const context: RequestContext = { what: request.what, access: ACCESS };
    const isFine = ({ ok, status }: Response) =>
      ok || (request.maybeMissing === true && status === 404);
    const answer = await this.#sendSigned(request, context, signal);
    if (isFine(answer)) return answer;
    const region = answer.headers.get("x-amz-bucket-region");
    const elsewhere = region !== null && region !== this.#region &&
      /^[a-z0-9-]+$/.test(region) && this.#settings.endpoint === undefined;
    const code = await readErrorCode(context, answer, signal);
    if (!elsewhere) throw this.#refusal(context, answer, code, region);
    this.#region = region;
    const second = await this.#sendSigned(request, context, signal);
    if (isFine(second)) return second;
    const other = await readErrorCode(context, second, signal);
    throw this.#refusal(context, second, other, null);
  }

  async #sendSigned(
    request: S3Request,
    context: RequestContext,
    signal: AbortSignal,
  ): Promise<Response> {
    const { url, method, headers } = await this.#signed(request);
    try {
      return await this.#settings.fetch(url, {
        method,
        headers,
        body: request.body ?? null,
        // A followed redirect would carry a signature for the wrong host.
        redirect: "manual",
        signal,
      });
    } catch (cause) {
      throw unanswered(context, cause, signal);
    }
  }

  async #signed(request: S3Request) {
    const { key, query = {}, headers = {}, method = "GET" } = request;
    const url = this.#url(key);
    for (const name of Object.keys(query).sort()) {
      url.searchParams.set(name, query[name]!);
    }
    // Form encoding writes a space as a plus, and that would be signed as a
    // plus.
    url.search = url.search.replaceAll("+", "%20");
    const credentials = await this.#settings.credentials();
    if (credentials === undefined) {
      return { url, method, headers: plain(new Headers(headers)) };
    }
    const sha256 = request.sha256 ??
      (request.body === undefined
        ? EMPTY_SHA256
        : await sha256Hex(request.body));
    const { sessionToken } = credentials;
    const signed = await new AwsV4Signer({
      url: url.href,
      method,
      headers: { ...headers, "x-amz-content-sha256": sha256 },
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...sessionToken === undefined ? {} : { sessionToken },
      service: "s3",
      region: this.#region,
      cache: this.#keys,
    }).sign();
    return { url: signed.url, method, headers: plain(signed.headers) };
  }

  #url(key: string): URL {
    const { bucket, endpoint } = this.#settings;
    const path = key.split("/").map(encode).join("/");
    if (endpoint !== undefined) {
      const base = endpoint.href.replace(/\/$/, "");
      return new URL(`${base}/${encode(bucket)}/${path}`);
    }
    const domain = this.#region.startsWith("cn-")
      ? "amazonaws.com.cn"
      : "amazonaws.com";
    const host = `s3.${this.#region}.${domain}`;
    // A dot in the bucket's name would not match the certificate.
    return bucket.includes(".")
      ? new URL(`https://${host}/${encode(bucket)}/${path}`)
      : new URL(`https://${bucket}.${host}/${path}`);
  }

  #refusal(
    context: RequestContext,
    answer: Response,
    code: string | undefined,
    region: string | null,
  ): RemoteError {
    if (code === "RequestTimeTooSkewed") {
      return new RemoteError(
        `Cannot ${context.what}: the clock of this machine is wrong; set it`,
        { type: "elsewhere" },
      );
    }
    const redirected = answer.status >= 300 && answer.status < 400;
    if (redirected || code === "AuthorizationHeaderMalformed") {
      const there = region === null ? "another region" : `region ${region}`;
      return new RemoteError(
        `Cannot ${context.what}: the bucket is in ${there}; set AWS_REGION`,
        { type: "elsewhere" },
      );
    }
    return refusal(context, answer, code);
  }
}

/**
 * Requests unencoded bytes, so that lengths and ranges refer to them.
 */
function plain(headers: Headers): Headers {
  headers.set("accept-encoding", "identity");
  return headers;
}

function encode(segment: string): string {
  return encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function readErrorCode(
  context: RequestContext,
  answer: Response,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return errorCode(
      await boundedText(context, answer, MAX_ERROR_BYTES, signal),
    );
  } catch {
    signal.throwIfAborted();
    // Truncated or unbounded body: only the status remains.
    return undefined;
  }
}

/** Returns a SHA-256 in hex. */
export async function sha256Hex(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
