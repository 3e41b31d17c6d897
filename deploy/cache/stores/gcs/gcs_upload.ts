/**
 * The resumable upload of a file into a bucket of Cloud Storage.
 *
 * ```text
 * POST uploadType=resumable ─▶ a session
 * PUT bytes 0-…/size        ─▶ 308, range: bytes=0-…     offset reached
 * PUT bytes …-size/size     ─▶ 200                       the object is complete
 * ```
 *
 * After a failure the session reports its offset, and the upload resumes from
 * there. The object appears with the last byte. Its checksum is compared with
 * the bytes that were read; an object that differs is removed.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type RetryPolicy, withRetries } from "../../retry_policy.ts";
import { RemoteError } from "../../net/remote.ts";
import { readRecord, textField } from "../json_answer.ts";
import type { PartSource } from "../object_store.ts";

/** A request to Cloud Storage. */
export interface GcsRequest {
  /** Action of the request, for messages. */
  readonly what: string;
  /** Method; GET by default. */
  readonly method?: string;
  /** URL of the request. */
  readonly url: URL;
  /** Headers besides the token. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Body of the request. */
  readonly body?: Uint8Array<ArrayBuffer> | string;
  /** Statuses besides 2xx that are valid responses. */
  readonly accept?: readonly number[];
}

/** A function that sends a request to Cloud Storage. */
export type SendGcs = (
  request: GcsRequest,
  signal: AbortSignal,
) => Promise<Response>;

/** State of a session: bytes received so far, or the object. */
type Stand =
  | { readonly type: "partial"; readonly bytes: number }
  | { readonly type: "done"; readonly md5: string };

const INCOMPLETE = 308;

/** An uploader of files. */
export class GcsUpload {
  readonly #send: SendGcs;
  readonly #retryPolicy: RetryPolicy;

  /** Creates an uploader; sends nothing yet. */
  constructor(send: SendGcs, retryPolicy: RetryPolicy) {
    this.#send = send;
    this.#retryPolicy = retryPolicy;
  }

  /**
   * Sends a file.
   *
   * @param target Path of the object, and its name in messages.
   * @throws {RemoteError} When the upload fails.
   */
  async send(
    target: Pick<GcsRequest, "what" | "url">,
    source: PartSource,
    signal: AbortSignal,
  ): Promise<void> {
    const { what } = target;
    const url = await this.#begin(target, source, signal);
    const hash = createHash("md5");
    let stand: Stand = { type: "partial", bytes: 0 };
    const parts = Math.max(1, source.file.partSha256.length);
    for (let index = 0; index < parts; index++) {
      const empty = source.file.size === 0;
      const part = empty ? new Uint8Array(0) : await source.read(index);
      hash.update(part);
      stand = await this.#sendPart({ what, url }, index, part, source, signal);
      source.onSent(part.length);
    }
    const md5 = hash.digest("base64");
    if (stand.type === "done" && (stand.md5 === "" || stand.md5 === md5)) {
      return;
    }
    throw new RemoteError(
      `Cannot ${what}: the received bytes differ from those sent; publish it again`,
      { type: "elsewhere" },
    );
  }

  async #begin(
    { what, url }: Pick<GcsRequest, "what" | "url">,
    { file }: PartSource,
    signal: AbortSignal,
  ): Promise<URL> {
    const request: GcsRequest = {
      what,
      url,
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-upload-content-length": String(file.size),
      },
      body: JSON.stringify({ metadata: { sha256: file.sha256 } }),
    };
    const answer = await withRetries(
      url.host,
      (signal) => this.#send(request, signal),
      this.#retryPolicy,
      signal,
    );
    await answer.body?.cancel();
    const session = URL.parse(answer.headers.get("location") ?? "");
    // The session URL grants write access: no other host gets the bytes.
    if (session !== null && session.host === url.host) return session;
    throw new RemoteError(
      `Cannot ${what}: the service opened no upload session; try again later`,
      { type: "elsewhere" },
    );
  }

  /** Sends a part; after a failure, the rest of it. */
  async #sendPart(
    target: Pick<GcsRequest, "what" | "url">,
    index: number,
    part: Uint8Array<ArrayBuffer>,
    { file }: PartSource,
    signal: AbortSignal,
  ): Promise<Stand> {
    const start = index * file.partSize;
    const end = start + part.length;
    let failed = false;
    return await withRetries(
      target.url.host,
      async (signal) => {
        let from = start;
        if (failed) {
          const range = `bytes */${file.size}`;
          const stand = await this.#put(target, range, undefined, signal);
          if (stand.type === "done") return stand;
          if (stand.bytes < start || stand.bytes > end) throw lost(target.what);
          if (stand.bytes === end && end < file.size) return stand;
          from = stand.bytes;
        }
        failed = true;
        const range = part.length === 0
          ? `bytes */${file.size}`
          : `bytes ${from}-${end - 1}/${file.size}`;
        const body = part.subarray(from - start);
        const stand = await this.#put(target, range, body, signal);
        if (stand.type === "partial" && stand.bytes < end) {
          throw new RemoteError(
            `Cannot ${target.what}: some bytes did not arrive; try again later`,
            { type: "retry", retryAfterMs: undefined },
          );
        }
        return stand;
      },
      this.#retryPolicy,
      signal,
    );
  }

  async #put(
    target: Pick<GcsRequest, "what" | "url">,
    range: string,
    body: Uint8Array<ArrayBuffer> | undefined,
    signal: AbortSignal,
  ): Promise<Stand> {
    const answer = await this.#send({
      ...target,
      method: "PUT",
      headers: { "content-range": range },
      body: body ?? new Uint8Array(0),
      accept: [INCOMPLETE],
    }, signal);
    if (answer.status === INCOMPLETE) {
      await answer.body?.cancel();
      const last = /-(\d+)$/.exec(answer.headers.get("range") ?? "")?.[1];
      return {
        type: "partial",
        bytes: last === undefined ? 0 : Number(last) + 1,
      };
    }
    const fields = await readRecord(answer, target.what, signal);
    return { type: "done", md5: textField(fields, "md5Hash") };
  }
}

function lost(what: string): RemoteError {
  return new RemoteError(
    `Cannot ${what}: the service lost the upload; publish it again`,
    { type: "elsewhere" },
  );
}
