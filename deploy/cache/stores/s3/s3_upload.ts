/**
 * The S3 uploads: small files in one request, others in parts.
 *
 * ```text
 * create ─▶ concurrent parts, each with its own retries ─▶ complete
 * ```
 *
 * The object appears when all parts are there. The store keeps parts of an
 * interrupted upload: they are compared by content, and only missing ones are
 * sent.
 *
 * @module
 */

import { createHash } from "node:crypto";
import pLimit from "p-limit";
import { type RetryPolicy, withRetries } from "../../retry_policy.ts";
import { RemoteError } from "../../net/remote.ts";
import { runConcurrently } from "../../base/concurrent_tasks.ts";
import { refusal } from "../answer.ts";
import type { PartSource } from "../object_store.ts";
import type { S3Request, S3Requests } from "./s3_request.ts";
import {
  documentElement,
  elementsOf,
  errorCode,
  readText,
  textOf,
  torn,
} from "./s3_xml.ts";

/** Parts that are sent concurrently, each with its bytes in memory. */
const SIDE_BY_SIDE = 4;

/** Parts that the store has: entity tags by number. */
type Parts = Map<number, string>;

/** An upload in parts. */
interface Upload {
  readonly key: string;
  /** Id that the store gave the upload. */
  id: string;
  readonly what: string;
}

/** An uploader of files to one bucket. */
export class S3Upload {
  readonly #requests: S3Requests;
  readonly #place: string;
  readonly #retryPolicy: RetryPolicy;
  readonly #limit = pLimit(SIDE_BY_SIDE);

  /** Creates an uploader; sends nothing yet. */
  constructor(requests: S3Requests, place: string, retryPolicy: RetryPolicy) {
    this.#requests = requests;
    this.#place = place;
    this.#retryPolicy = retryPolicy;
  }

  /**
   * Sends a file.
   *
   * @throws {RemoteError} When the upload fails; parts that arrived stay for
   * the next attempt.
   */
  async send(
    key: string,
    source: PartSource,
    signal: AbortSignal,
  ): Promise<void> {
    if (source.file.partSha256.length > 1) {
      await this.#sendParts(key, source, signal);
    } else {
      await this.#limit(() => this.#sendWhole(key, source, signal));
    }
  }

  async #sendWhole(
    key: string,
    source: PartSource,
    signal: AbortSignal,
  ): Promise<void> {
    const { path, size, sha256 } = source.file;
    const body = size === 0 ? new Uint8Array(0) : await source.read(0);
    const request = {
      what: `write "${path}" to ${this.#place}`,
      key,
      method: "PUT",
      body,
      sha256,
      headers: { "x-amz-meta-sha256": sha256 },
    };
    const answer = await this.#send(request, signal);
    await answer.body?.cancel();
    source.onSent(size);
  }

  async #sendParts(
    key: string,
    source: PartSource,
    signal: AbortSignal,
  ): Promise<void> {
    const { file } = source;
    const what = `write "${file.path}" to ${this.#place}`;
    const upload = { key, id: "", what };
    const pending = await this.#pending(upload, signal);
    // Parts of other content are useless, and cost money.
    const kept = source.resume ? pending.at(-1) : undefined;
    for (const id of pending) {
      if (id !== kept) await this.#abort({ ...upload, id }, signal);
    }
    upload.id = kept ?? await this.#create(upload, file.sha256, signal);
    const there = kept === undefined
      ? new Map()
      : await this.#parts(upload, signal);
    try {
      const parts = await this.#all(upload, source, there, signal);
      await this.#complete(upload, parts, signal);
    } catch (error) {
      // Network failures can be resumed; changed content cannot.
      const resumable = error instanceof RemoteError || signal.aborted;
      if (!resumable) await this.#abort(upload, signal);
      throw error;
    }
  }

  /** Sends all missing parts. */
  async #all(
    upload: Upload,
    source: PartSource,
    there: Parts,
    signal: AbortSignal,
  ): Promise<Parts> {
    const tags = await runConcurrently(
      source.file.partSha256.map((_, index) => (either) =>
        this.#part(upload, index, source, there, either)
      ),
      this.#limit,
      signal,
    );
    return new Map(tags.map((tag, index) => [index + 1, tag]));
  }

  async #part(
    upload: Upload,
    index: number,
    source: PartSource,
    there: Parts,
    signal: AbortSignal,
  ): Promise<string> {
    const body = await source.read(index);
    const tag = there.get(index + 1);
    if (tag === createHash("md5").update(body).digest("hex")) {
      source.onSent(body.length);
      return tag;
    }
    const answer = await this.#send({
      what: upload.what,
      key: upload.key,
      method: "PUT",
      query: { partNumber: String(index + 1), uploadId: upload.id },
      body,
      sha256: source.file.partSha256[index]!,
    }, signal);
    await answer.body?.cancel();
    source.onSent(body.length);
    return (answer.headers.get("etag") ?? "").replaceAll('"', "");
  }

  async #create(
    { key, what }: Upload,
    sha256: string,
    signal: AbortSignal,
  ): Promise<string> {
    const headers = { "x-amz-meta-sha256": sha256 };
    const query = { uploads: "" };
    const request = { what, key, method: "POST", query, headers };
    const created = await this.#element(request, signal);
    return textOf(created, "UploadId");
  }

  /** Returns unfinished uploads of the same key, oldest first. */
  async #pending({ key, what }: Upload, signal: AbortSignal) {
    const query = { uploads: "", prefix: key };
    const list = await this.#element({ what, key: "", query }, signal);
    return elementsOf(list, "Upload")
      .filter((upload) => textOf(upload, "Key") === key)
      .sort((a, b) =>
        textOf(a, "Initiated").localeCompare(textOf(b, "Initiated"))
      )
      .map((upload) => textOf(upload, "UploadId"));
  }

  async #parts(
    { key, id, what }: Upload,
    signal: AbortSignal,
  ): Promise<Parts> {
    const parts: Parts = new Map();
    let marker = "0";
    for (;;) {
      const query = { uploadId: id, "part-number-marker": marker };
      const list = await this.#element({ what, key, query }, signal);
      for (const part of elementsOf(list, "Part")) {
        const number = Number(textOf(part, "PartNumber"));
        parts.set(number, textOf(part, "ETag").replaceAll('"', ""));
      }
      const next = textOf(list, "NextPartNumberMarker");
      if (textOf(list, "IsTruncated") !== "true") return parts;
      if (Number(next) <= Number(marker)) return parts;
      marker = next;
    }
  }

  async #complete(
    { key, id, what }: Upload,
    parts: Parts,
    signal: AbortSignal,
  ): Promise<void> {
    const list = [...parts].map(([number, tag]) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>"${tag}"</ETag></Part>`
    );
    const xml = `<CompleteMultipartUpload>${
      list.join("")
    }</CompleteMultipartUpload>`;
    const body = new TextEncoder().encode(xml);
    const query = { uploadId: id };
    const request = { what, key, method: "POST", query, body };
    await this.#element(request, signal);
  }

  async #abort(
    { key, id, what }: Upload,
    signal: AbortSignal,
  ): Promise<void> {
    const query = { uploadId: id };
    const request = { what, key, method: "DELETE", query };
    await (await this.#send(request, signal)).body?.cancel();
  }

  async #element(
    request: S3Request,
    signal: AbortSignal,
  ) {
    return await withRetries(
      this.#place,
      async (signal) => {
        const answer = await this.#requests.send(request, signal);
        const xml = await readText(answer, request.what, signal);
        // Completing takes long: S3 sends 200 at once, and an error in the
        // body.
        const code = errorCode(xml);
        if (code !== undefined) {
          const context = { what: request.what, access: "" };
          throw refusal(
            context,
            { status: 400, headers: answer.headers },
            code,
          );
        }
        const found = documentElement(xml);
        if (found === undefined) throw torn(request.what);
        return found.element;
      },
      this.#retryPolicy,
      signal,
    );
  }

  #send(
    request: S3Request,
    signal: AbortSignal,
  ): Promise<Response> {
    return withRetries(
      this.#place,
      (signal) => this.#requests.send(request, signal),
      this.#retryPolicy,
      signal,
    );
  }
}
