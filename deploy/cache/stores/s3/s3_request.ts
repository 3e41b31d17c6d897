/**
 * Signed requests to a bucket.
 *
 * ```text
 * Amazon       https://<bucket>.s3.<region>.amazonaws.com/<key>
 * an endpoint  https://<endpoint>/<bucket>/<key>
 * ```
 *
 * The payload's hash is part of the signature, so the store refuses bytes that
 * were damaged on their way. Without credentials nothing is signed: public
 * buckets ask for none.
 *
 * @module
 */

import { AwsV4Signer } from "aws4fetch";
import { RemoteError } from "../../net/remote.ts";
import { type Asked, refusal, unanswered } from "../answer.ts";
import { boundedText } from "../bounded_text.ts";
import type { AwsCredentials } from "./aws_credentials.ts";
import type { Fetch } from "../fetch.ts";
import { errorCode } from "./s3_xml.ts";

/** Where a bucket is and who asks. */
export interface S3Settings {
  /** Its name. */
  readonly bucket: string;
  /** Such as `https://<account>.r2.cloudflarestorage.com`; undefined: Amazon. */
  readonly endpoint: URL | undefined;
  /** Such as `eu-central-1`; of Amazon's, another is found by itself. */
  readonly region: string;
  /** Sends requests. */
  readonly fetch: Fetch;
  /** Who asks, as of now; undefined: nobody in particular. */
  readonly credentials: () => Promise<AwsCredentials | undefined>;
}

/** A request. */
export interface S3Request {
  /** What it is about, for messages. */
  readonly what: string;
  /** GET unless said. */
  readonly method?: string;
  /** Of the object; empty for the bucket. */
  readonly key: string;
  /** Query, as it is signed. */
  readonly query?: Readonly<Record<string, string>>;
  /** Headers beside those of the signature. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is sent. */
  readonly body?: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the body in hex, as the sender knows it. */
  readonly sha256?: string;
  /** Whether 404 is an answer like any other. */
  readonly maybeMissing?: boolean;
}

const ACCESS =
  "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they may do";

const EMPTY_SHA256 =
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const MAX_ERROR_BYTES = 2 ** 16;

/** Asks one bucket. */
export class S3Requests {
  readonly #settings: S3Settings;
  readonly #keys = new Map<string, ArrayBuffer>();
  #region: string;

  /** Asks nothing yet. */
  constructor(settings: S3Settings) {
    this.#settings = settings;
    this.#region = settings.region;
  }

  /**
   * An answer that says yes; redirects to another region are followed once.
   *
   * @throws {RemoteError} For any other.
   */
  async ask(request: S3Request, signal: AbortSignal): Promise<Response> {
    const asked: Asked = { what: request.what, access: ACCESS };
    const isFine = ({ ok, status }: Response) =>
      ok || (request.maybeMissing === true && status === 404);
    const answer = await this.#send(request, asked, signal);
    if (isFine(answer)) return answer;
    const region = answer.headers.get("x-amz-bucket-region");
    const elsewhere = region !== null && region !== this.#region &&
      /^[a-z0-9-]+$/.test(region) && this.#settings.endpoint === undefined;
    const code = await readErrorCode(asked, answer, signal);
    if (!elsewhere) throw this.#refusal(asked, answer, code, region);
    this.#region = region;
    const second = await this.#send(request, asked, signal);
    if (isFine(second)) return second;
    const other = await readErrorCode(asked, second, signal);
    throw this.#refusal(asked, second, other, null);
  }

  async #send(
    request: S3Request,
    asked: Asked,
    signal: AbortSignal,
  ): Promise<Response> {
    const { url, method, headers } = await this.#signed(request);
    try {
      return await this.#settings.fetch(url, {
        method,
        headers,
        body: request.body ?? null,
        // A redirect would be signed for the wrong host.
        redirect: "manual",
        signal,
      });
    } catch (cause) {
      throw unanswered(asked, cause, signal);
    }
  }

  async #signed(request: S3Request) {
    const { key, query = {}, headers = {}, method = "GET" } = request;
    const url = this.#url(key);
    for (const name of Object.keys(query).sort()) {
      url.searchParams.set(name, query[name]!);
    }
    // Form encoding writes a space as a plus, which is signed as one.
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
    // A dot in its name would not fit the certificate.
    return bucket.includes(".")
      ? new URL(`https://${host}/${encode(bucket)}/${path}`)
      : new URL(`https://${bucket}.${host}/${path}`);
  }

  #refusal(
    asked: Asked,
    answer: Response,
    code: string | undefined,
    region: string | null,
  ): RemoteError {
    if (code === "RequestTimeTooSkewed") {
      return new RemoteError(
        `Cannot ${asked.what}: the clock of this machine is wrong, set it`,
        { type: "elsewhere" },
      );
    }
    const redirected = answer.status >= 300 && answer.status < 400;
    if (redirected || code === "AuthorizationHeaderMalformed") {
      const there = region === null ? "another region" : `region ${region}`;
      return new RemoteError(
        `Cannot ${asked.what}: the bucket is in ${there}, set AWS_REGION`,
        { type: "elsewhere" },
      );
    }
    return refusal(asked, answer, code);
  }
}

/** Bytes as they are stored: a length or range is of nothing else. */
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
  asked: Asked,
  answer: Response,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return errorCode(
      await boundedText(asked, answer, MAX_ERROR_BYTES, signal),
    );
  } catch {
    signal.throwIfAborted();
    // Cut off, or without an end: the status alone has to do.
    return undefined;
  }
}

/** SHA-256 in hex. */
export async function sha256Hex(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
