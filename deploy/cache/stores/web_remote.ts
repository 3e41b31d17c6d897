/**
 * The remote for any web server: a manifest and the files that it lists.
 *
 * ```text
 * https://host/folder?key        folder/manifest.json?key, folder/<path>?key
 * https://host/any.json?key      that manifest, files beside it
 * files[].url                    where a file is instead, perhaps presigned
 * ```
 *
 * The query, the user name and the password of a URL are secret. They are sent
 * only to the host that they were given for, and appear in no message.
 *
 * @module
 */

import {
  type Manifest,
  MANIFEST_BYTES,
  MANIFEST_FILE,
} from "../manifest/manifest.ts";
import {
  type ByteRange,
  type Fetch,
  type Remote,
  RemoteError,
  type RemoteFile,
  type RemoteSnapshot,
} from "../net/remote.ts";
import {
  rangeBody,
  refusal,
  type RequestContext,
  unanswered,
} from "./answer.ts";
import { boundedText } from "./bounded_text.ts";
import { snapshotOf, usableManifest } from "./remote_manifest.ts";

/** A folder of a web server. */
export class WebRemote implements Remote {
  readonly #send: Fetch;
  readonly #manifestUrl: URL;
  readonly #authorization: string | undefined;
  #manifest: Manifest | undefined;
  /** Entity tags of files after their first read, by path. */
  readonly #tags = new Map<string, string>();
  /** Name of the place, without secrets. */
  readonly place: string;

  /**
   * Creates a remote; sends no request yet.
   *
   * @param url The URL of a folder, or of a manifest whose name ends with
   * `.json`.
   * @throws {TypeError} When it is not a web URL.
   */
  constructor(url: string, fetch: Fetch) {
    this.#send = fetch;
    const given = URL.parse(url);
    if (given === null || !isGuarded(given)) {
      throw new TypeError("expected an https URL of a folder or a manifest");
    }
    const { username, password } = given;
    if (username !== "") {
      const words = [username, password].map(decodeURIComponent).join(":");
      const bytes = new TextEncoder().encode(words);
      this.#authorization = `Basic ${bytes.toBase64()}`;
    }
    given.username = "";
    given.password = "";
    given.hash = "";
    if (!given.pathname.endsWith(".json")) {
      given.pathname = `${given.pathname.replace(/\/*$/, "")}/${MANIFEST_FILE}`;
    }
    this.#manifestUrl = given;
    this.place = new URL(".", `${given.origin}${given.pathname}`).href;
  }

  /** Returns the files that the manifest lists now. */
  async list(signal: AbortSignal): Promise<RemoteSnapshot> {
    this.#tags.clear();
    this.#manifest = await this.#readManifest(signal);
    return snapshotOf(this.#manifest, this.place);
  }

  /** Reads the bytes of `range`, of the content that was listed. */
  async read(
    file: RemoteFile,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    if (range.end === range.start) return new Blob([]).stream();
    const url = await this.#urlOf(file, signal);
    const headers = new Headers({
      range: `bytes=${range.start}-${range.end - 1}`,
    });
    const tag = this.#tags.get(file.path);
    if (tag !== undefined) headers.set("if-match", tag);
    const context = this.#context(`read "${file.path}"`);
    const answer = await this.#fetch(context, url, headers, signal);
    const body = await rangeBody(context, answer, range, file.size);
    // Weak tags match nothing (RFC 9110, 8.8.3.2).
    const seen = answer.headers.get("etag");
    if (seen?.startsWith('"') && tag === undefined) {
      this.#tags.set(file.path, seen);
    }
    return body;
  }

  async #urlOf(
    { path, sha256 }: RemoteFile,
    signal: AbortSignal,
  ): Promise<URL> {
    this.#manifest ??= await this.#readManifest(signal);
    const entry = this.#manifest.files.find((file) => file.path === path);
    if (entry?.sha256 !== sha256) {
      throw new RemoteError(
        `Cannot read "${path}" of ${this.place}: the manifest has changed; download the model again`,
        { type: "changed" },
      );
    }
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    const url = URL.parse(entry?.url ?? encoded, this.#manifestUrl);
    if (url === null || !isGuarded(url)) {
      throw new RemoteError(
        `Cannot read "${path}" of ${this.place}: ` +
          "the manifest has no https URL for it; publish it again",
        { type: "elsewhere" },
      );
    }
    const here = url.origin === this.#manifestUrl.origin;
    if (here && url.search === "") url.search = this.#manifestUrl.search;
    return url;
  }

  async #readManifest(signal: AbortSignal): Promise<Manifest> {
    const context = this.#context(`read "${MANIFEST_FILE}"`);
    const url = this.#manifestUrl;
    const answer = await this.#fetch(context, url, new Headers(), signal);
    const written = await boundedText(
      context,
      answer,
      MANIFEST_BYTES,
      signal,
    );
    return usableManifest(written, this.place);
  }

  async #fetch(
    context: RequestContext,
    url: URL,
    headers: Headers,
    signal: AbortSignal,
  ): Promise<Response> {
    headers.set("accept-encoding", "identity");
    const here = url.origin === this.#manifestUrl.origin;
    if (this.#authorization !== undefined && here) {
      // Redirects to another host drop the header, as in fetch.
      headers.set("authorization", this.#authorization);
    }
    let answer: Response;
    try {
      answer = await this.#send(url, { headers, signal });
    } catch (cause) {
      throw unanswered(context, cause, signal);
    }
    if (answer.ok) return answer;
    await answer.body?.cancel();
    throw refusal(context, answer);
  }

  #context(what: string): RequestContext {
    return {
      what: `${what} of ${this.place}`,
      access: "a signature in the URL may have expired; get a new one",
    };
  }
}

/** Returns true if content from there cannot be changed in transit. */
function isGuarded({ protocol, hostname }: URL): boolean {
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && loopback);
}
