/**
 * The object store for buckets of Google Cloud Storage, over its JSON API.
 *
 * Every version of an object has its own generation. An entity tag here joins
 * generation and checksum, so a read returns the version that was listed.
 *
 * @module
 */

import { MANIFEST_BYTES } from "../../manifest/manifest.ts";
import type { RetryPolicy } from "../../retry_policy.ts";
import { type Fetch, RemoteError } from "../../net/remote.ts";
import {
  Pages,
  refusal,
  refuseCrowd,
  refuseOtherVersion,
  type RequestContext,
  unanswered,
} from "../answer.ts";
import { boundedText } from "../bounded_text.ts";
import { type GcsRequest, GcsUpload } from "./gcs_upload.ts";
import { type JsonRecord, readRecord, textField } from "../json_answer.ts";
import type {
  KnownObject,
  ListedObject,
  ObjectStore,
  PartSource,
  Wanted,
} from "../object_store.ts";

/** Location of a bucket and access to it. */
export interface GcsSettings {
  /** Name of the bucket. */
  readonly bucket: string;
  /** Prefix of the objects; ends with `/`, or is empty. */
  readonly prefix: string;
  /** URL of the service, such as `https://storage.googleapis.com`. */
  readonly endpoint: URL;
  /** Sends requests. */
  readonly fetch: Fetch;
  /** Returns the current access token; undefined for anonymous requests. */
  readonly token: () => Promise<string | undefined>;
}

const ACCESS =
  "check GOOGLE_APPLICATION_CREDENTIALS or the service account, and its roles";

/** A prefix of a bucket. */
export class GcsStore implements ObjectStore {
  readonly #settings: GcsSettings;
  readonly #upload: GcsUpload;
  /** Name of the place, `gs://bucket/prefix`. */
  readonly place: string;

  /** Creates a store; sends no request yet. */
  constructor(settings: GcsSettings, retryPolicy: RetryPolicy) {
    this.#settings = settings;
    this.place = `gs://${settings.bucket}/${settings.prefix}`;
    this.#upload = new GcsUpload(
      (request, signal) => this.#send(request, signal),
      retryPolicy,
    );
  }

  /** Lists all objects under the prefix, over any number of pages. */
  async list(signal: AbortSignal): Promise<readonly ListedObject[]> {
    const what = `list ${this.place}`;
    const objects: ListedObject[] = [];
    const pages = new Pages(what);
    let token = "";
    do {
      const url = this.#url("storage/v1", "", {
        prefix: this.#settings.prefix,
        fields: "nextPageToken,items(name,size,generation,md5Hash,crc32c)",
        ...token === "" ? {} : { pageToken: token },
      });
      const answer = await this.#send({ what, url }, signal);
      const page = await readRecord(answer, what, signal);
      const items = page["items"] ?? [];
      if (!Array.isArray(items)) throw unclear(what);
      for (const item of items) objects.push(this.#listed({ ...item }, what));
      refuseCrowd(objects, this.place);
      token = textField(page, "nextPageToken");
      if (token !== "") pages.next(token);
    } while (token !== "");
    return objects;
  }

  /** Requests an object, or a range of it. */
  async get(
    path: string,
    { range, version }: Wanted,
    signal: AbortSignal,
  ): Promise<Response> {
    const what = `read "${path}" of ${this.place}`;
    const headers: Record<string, string> = {};
    if (range) headers["range"] = `bytes=${range.start}-${range.end - 1}`;
    const generation = version?.split("-")[0];
    const url = this.#url("storage/v1", path, {
      alt: "media",
      ...generation === undefined ? {} : { ifGenerationMatch: generation },
    });
    const answer = await this.#send({ what, url, headers }, signal);
    const seen = this.versionOf(answer);
    const versions = { wanted: generation, seen };
    await refuseOtherVersion({ what, access: ACCESS }, answer, versions);
    return answer;
  }

  /** Returns the text of a small object. */
  async text(path: string, signal: AbortSignal): Promise<string | undefined> {
    const what = `read "${path}" of ${this.place}`;
    const url = this.#url("storage/v1", path, { alt: "media" });
    const answer = await this.#send({ what, url, accept: [404] }, signal);
    if (answer.ok) {
      const context = { what, access: ACCESS };
      return await boundedText(context, answer, MANIFEST_BYTES, signal);
    }
    await answer.body?.cancel();
    return undefined;
  }

  /** Returns the generation of an object. */
  versionOf(answer: Response): string | undefined {
    return answer.headers.get("x-goog-generation") ?? undefined;
  }

  /** Returns the metadata of an object. */
  async find(
    path: string,
    signal: AbortSignal,
  ): Promise<KnownObject | undefined> {
    const what = `look for "${path}" in ${this.place}`;
    const url = this.#url("storage/v1", path, { fields: "size,metadata" });
    const answer = await this.#send({ what, url, accept: [404] }, signal);
    if (answer.status === 404) {
      await answer.body?.cancel();
      return undefined;
    }
    const fields = await readRecord(answer, what, signal);
    const metadata = { ...Object(fields["metadata"] ?? {}) };
    return {
      size: Number(textField(fields, "size")),
      sha256: textField(metadata, "sha256") || undefined,
    };
  }

  /** Writes a small object. */
  async put(path: string, text: string, signal: AbortSignal): Promise<void> {
    const what = `write "${path}" to ${this.place}`;
    const url = this.#url("upload/storage/v1", "", {
      uploadType: "media",
      name: this.#settings.prefix + path,
    });
    const headers = { "content-type": "application/json" };
    const request = { what, url, method: "POST", headers, body: text };
    await (await this.#send(request, signal)).body?.cancel();
  }

  /** Writes a file piece by piece, and resumes after an interruption. */
  async send(source: PartSource, signal: AbortSignal): Promise<void> {
    const { path } = source.file;
    const url = this.#url("upload/storage/v1", "", {
      uploadType: "resumable",
      name: this.#settings.prefix + path,
    });
    const what = `write "${path}" to ${this.place}`;
    await this.#upload.send({ what, url }, source, signal);
  }

  /** Removes an object. */
  async remove(path: string, signal: AbortSignal): Promise<void> {
    const what = `remove "${path}" from ${this.place}`;
    const url = this.#url("storage/v1", path, {});
    const request = { what, url, method: "DELETE", accept: [404] };
    await (await this.#send(request, signal)).body?.cancel();
  }

  #listed(item: JsonRecord, what: string): ListedObject {
    const generation = textField(item, "generation");
    const size = textField(item, "size");
    const sum = textField(item, "md5Hash") || textField(item, "crc32c");
    if (!/^\d{1,15}$/.test(size) || !/^\d{1,20}$/.test(generation)) {
      throw unclear(what);
    }
    return {
      path: textField(item, "name").slice(this.#settings.prefix.length),
      size: Number(size),
      // Base64 has characters that file names must not have.
      etag: `${generation}-${Array.from(sum, hexOf).join("")}`,
    };
  }

  #url(
    api: "storage/v1" | "upload/storage/v1",
    path: string,
    query: Readonly<Record<string, string>>,
  ): URL {
    const { bucket, endpoint, prefix } = this.#settings;
    const object = path === "" ? "" : `/${encodeURIComponent(prefix + path)}`;
    const base = endpoint.href.replace(/\/$/, "");
    const url = new URL(
      `${base}/${api}/b/${encodeURIComponent(bucket)}/o${object}`,
    );
    for (const [name, value] of Object.entries(query)) {
      url.searchParams.set(name, value);
    }
    return url;
  }

  async #send(request: GcsRequest, signal: AbortSignal): Promise<Response> {
    const { what, method = "GET", url, body } = request;
    const context: RequestContext = { what, access: ACCESS };
    const token = await this.#settings.token();
    const headers = new Headers(request.headers);
    headers.set("accept-encoding", "identity");
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    let answer: Response;
    try {
      answer = await this.#settings.fetch(url, {
        method,
        headers,
        body: body ?? null,
        redirect: "manual",
        signal,
      });
    } catch (cause) {
      throw unanswered(context, cause, signal);
    }
    if (answer.ok || request.accept?.includes(answer.status)) return answer;
    await answer.body?.cancel();
    throw refusal(context, answer);
  }
}

function unclear(what: string): RemoteError {
  return new RemoteError(
    `Cannot ${what}: the response is not from Cloud Storage; try again later`,
    { type: "retry", retryAfterMs: undefined },
  );
}

function hexOf(sign: string): string {
  return sign.charCodeAt(0).toString(16).padStart(2, "0");
}
