/**
 * The object store for buckets of the S3 protocol: Amazon, R2, MinIO, Ceph and
 * others.
 *
 * @module
 */

import { MANIFEST_BYTES } from "../../manifest/manifest.ts";
import type { RetryPolicy } from "../../retry_policy.ts";
import { Pages, refuseCrowd, refuseOtherVersion } from "../answer.ts";
import { boundedText } from "../bounded_text.ts";
import type {
  KnownObject,
  ListedObject,
  ObjectStore,
  PartSource,
  Wanted,
} from "../object_store.ts";
import { S3Requests, type S3Settings } from "./s3_request.ts";
import { S3Upload } from "./s3_upload.ts";
import {
  documentElement,
  elementsOf,
  readText,
  textOf,
  torn,
} from "./s3_xml.ts";

/** A prefix of a bucket. */
export class S3Store implements ObjectStore {
  readonly #requests: S3Requests;
  readonly #upload: S3Upload;
  readonly #prefix: string;
  /** Name of the place, `s3://bucket/prefix`. */
  readonly place: string;

  /**
   * Creates a store; sends no request yet.
   *
   * @param prefix Prefix of the objects; ends with `/`, or is empty.
   */
  constructor(
    settings: S3Settings & { readonly prefix: string },
    retryPolicy: RetryPolicy,
  ) {
    this.#requests = new S3Requests(settings);
    this.#prefix = settings.prefix;
    this.place = `s3://${settings.bucket}/${settings.prefix}`;
    this.#upload = new S3Upload(this.#requests, this.place, retryPolicy);
  }

  /** Lists all objects under the prefix, over any number of pages. */
  async list(signal: AbortSignal): Promise<readonly ListedObject[]> {
    const objects: ListedObject[] = [];
    const pages = new Pages(`list ${this.place}`);
    let token: string | undefined;
    do {
      const page = await this.#page(token, signal);
      objects.push(...page.objects);
      refuseCrowd(objects, this.place);
      token = page.next && pages.next(page.next);
    } while (token !== undefined);
    return objects;
  }

  /** Requests an object, or a range of it. */
  async get(
    path: string,
    { range, version }: Wanted,
    signal: AbortSignal,
  ): Promise<Response> {
    const headers: Record<string, string> = {};
    if (range) headers["range"] = `bytes=${range.start}-${range.end - 1}`;
    if (version !== undefined) headers["if-match"] = `"${version}"`;
    const what = `read "${path}" of ${this.place}`;
    const key = this.#prefix + path;
    const answer = await this.#requests.send({ what, key, headers }, signal);
    const versions = { wanted: version, seen: this.versionOf(answer) };
    await refuseOtherVersion({ what, access: "" }, answer, versions);
    return answer;
  }

  /** Returns the text of a small object. */
  async text(path: string, signal: AbortSignal): Promise<string | undefined> {
    const what = `read "${path}" of ${this.place}`;
    const request = { what, key: this.#prefix + path, maybeMissing: true };
    const answer = await this.#requests.send(request, signal);
    if (answer.ok) {
      const context = { what, access: "" };
      return await boundedText(context, answer, MANIFEST_BYTES, signal);
    }
    await answer.body?.cancel();
    return undefined;
  }

  /** Returns the entity tag of an object. */
  versionOf(answer: Response): string | undefined {
    return unquoted(answer.headers.get("etag") ?? "") || undefined;
  }

  /** Returns the metadata of an object. */
  async find(
    path: string,
    signal: AbortSignal,
  ): Promise<KnownObject | undefined> {
    const what = `look for "${path}" in ${this.place}`;
    const key = this.#prefix + path;
    const request = { what, key, method: "HEAD", maybeMissing: true };
    const { headers, status } = await this.#requests.send(request, signal);
    if (status === 404) return undefined;
    return {
      size: Number(headers.get("content-length")),
      sha256: headers.get("x-amz-meta-sha256") ?? undefined,
    };
  }

  /** Writes a small object. */
  async put(path: string, text: string, signal: AbortSignal): Promise<void> {
    const what = `write "${path}" to ${this.place}`;
    const key = this.#prefix + path;
    const body = new TextEncoder().encode(text);
    const headers = { "content-type": "application/json" };
    const request = { what, key, method: "PUT", body, headers };
    await (await this.#requests.send(request, signal)).body?.cancel();
  }

  /** Writes a file, in parts that are sent concurrently. */
  async send(source: PartSource, signal: AbortSignal): Promise<void> {
    await this.#upload.send(this.#prefix + source.file.path, source, signal);
  }

  /** Removes an object. */
  async remove(path: string, signal: AbortSignal): Promise<void> {
    const what = `remove "${path}" from ${this.place}`;
    const request = { what, key: this.#prefix + path, method: "DELETE" };
    await (await this.#requests.send(request, signal)).body?.cancel();
  }

  async #page(token: string | undefined, signal: AbortSignal) {
    const what = `list ${this.place}`;
    const query = {
      "list-type": "2",
      "encoding-type": "url",
      prefix: this.#prefix,
      ...token === undefined ? {} : { "continuation-token": token },
    };
    const answer = await this.#requests.send({ what, key: "", query }, signal);
    const found = documentElement(await readText(answer, what, signal));
    if (found?.name !== "ListBucketResult") {
      throw torn(what);
    }
    const { element } = found;
    const next = textOf(element, "NextContinuationToken");
    if (textOf(element, "IsTruncated") === "true" && next === "") {
      throw torn(what);
    }
    const encoded = textOf(element, "EncodingType") === "url";
    const objects = elementsOf(element, "Contents").map((object) => {
      const key = textOf(object, "Key");
      return {
        path: (encoded ? decodeKey(key, what) : key).slice(this.#prefix.length),
        size: sizeOf(textOf(object, "Size"), what),
        etag: unquoted(textOf(object, "ETag")),
      };
    });
    return { objects, next: next === "" ? undefined : next };
  }
}

function decodeKey(key: string, what: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", "%20"));
  } catch {
    // The body does not match the response's own headers.
    throw torn(what);
  }
}

function sizeOf(text: string, what: string): number {
  if (!/^\d{1,15}$/.test(text)) throw torn(what);
  return Number(text);
}

function unquoted(etag: string): string {
  return etag.replace(/^(W\/)?"(.*)"$/, "$2");
}
