/**
 * The remote for a repository of Hugging Face's hub, or of a compatible mirror.
 *
 * ```text
 * /api/models/{repository}/revision/{revision}?blobs=true    commit, files, hashes
 * /{repository}/resolve/{commit}/{path}                      302 to a CDN, or bytes
 * ```
 *
 * The token is sent to the hub alone, never to a redirect's target. Files are
 * read by the commit that was listed, so a branch that moves changes nothing.
 *
 * @module
 */

import {
  checkRange,
  otherContent,
  plainEtag,
  remedyOf,
} from "../net/http_answers.ts";
import {
  type ByteRange,
  type Remote,
  RemoteError,
  type RemoteFile,
  type RemoteSnapshot,
} from "../net/remote.ts";
import { LISTING_BYTES } from "../snapshots/checked_listing.ts";
import { boundedText } from "../stores/bounded_text.ts";
import { parseListing } from "./hub_listing.ts";
import { type HubSource, withoutSecrets } from "../source.ts";

/** Options for access to a hub. */
export interface HubOptions {
  /** URL of the hub, such as `https://huggingface.co`. */
  readonly endpoint: string;
  /** Access token; undefined for anonymous requests. */
  readonly token: string | undefined;
  /** Sends requests; separate connections let ranges run concurrently. */
  readonly fetch: (url: URL, init: RequestInit) => Promise<Response>;
}

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The repository of `source` at a hub. */
export class HubRemote implements Remote {
  readonly place: string;
  readonly #source: HubSource;
  readonly #endpoint: URL;
  readonly #options: HubOptions;
  #commit: string | undefined;
  /** Last URLs of files: signed, and valid for a while. */
  readonly #found = new Map<string, URL>();

  /**
   * Creates a remote for `source`, which need not exist.
   *
   * @throws {RemoteError} When the endpoint is not a URL.
   */
  constructor(source: HubSource, options: HubOptions) {
    const endpoint = URL.parse(options.endpoint);
    if (endpoint === null || !/^https?:$/.test(endpoint.protocol)) {
      throw new RemoteError(
        `Cannot use the hub: HF_ENDPOINT is "${
          withoutSecrets(options.endpoint)
        }", expected a URL such as https://huggingface.co`,
        { type: "elsewhere" },
      );
    }
    this.#source = source;
    this.#endpoint = endpoint;
    this.#options = options;
    this.place = `${source.owner}/${source.name}@${source.revision} at ${
      withoutSecrets(options.endpoint)
    }`;
  }

  async list(signal: AbortSignal): Promise<RemoteSnapshot> {
    const { owner, name, revision } = this.#source;
    const path = `api/models/${owner}/${name}/revision/${
      encodeURIComponent(revision)
    }?blobs=true`;
    const { answer } = await this.#fetchFollowed(this.#url(path), {}, signal);
    if (answer.status !== 200) throw await this.#refusal(answer, this.place);
    const context = { what: `read what ${this.place} lists`, access: "" };
    const text = await boundedText(context, answer, LISTING_BYTES, signal);
    const snapshot = parseListing(text, this.place);
    this.#commit = snapshot.commit;
    this.#found.clear();
    return snapshot;
  }

  async read(
    file: RemoteFile,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const what = `${file.path} of ${this.place}`;
    // An empty range cannot be requested.
    const bytes: Record<string, string> = range.end > range.start
      ? { Range: `bytes=${range.start}-${range.end - 1}` }
      : {};
    const answer = await this.#askFor(file, bytes, what, signal);
    if (answer.status !== 200 && answer.status !== 206) {
      throw await this.#refusal(answer, what);
    }
    try {
      checkRange(answer, range, file.size, `read ${what}`);
    } catch (error) {
      await answer.body?.cancel();
      throw error;
    }
    return answer.body ?? new Blob([]).stream();
  }

  /** Pins the commit that another object has listed. */
  at(commit: string): this {
    this.#commit = commit;
    return this;
  }

  /** Requests the file's last URL, else the hub. */
  async #askFor(
    file: RemoteFile,
    headers: Record<string, string>,
    what: string,
    signal: AbortSignal,
  ): Promise<Response> {
    const known = this.#found.get(file.path);
    if (known !== undefined) {
      const answer = await this.#fetch(known, headers, signal);
      if (answer.ok) return answer;
      this.#found.delete(file.path);
      await answer.body?.cancel();
    }
    const { owner, name, revision } = this.#source;
    const path = file.path.split("/").map(encodeURIComponent).join("/");
    const url = this.#url(
      `${owner}/${name}/resolve/${
        encodeURIComponent(this.#commit ?? revision)
      }/${path}`,
    );
    const { answer, at, hubHeaders } = await this.#fetchFollowed(
      url,
      headers,
      signal,
    );
    if (answer.ok) {
      const etag = hubHeaders.get("X-Linked-Etag") ??
        (at.host === url.host ? hubHeaders.get("ETag") : null);
      if (etag !== null && plainEtag(etag) !== file.etag) {
        await answer.body?.cancel();
        throw otherContent(`read ${what}`, "its ETag has changed");
      }
      if (at.host !== url.host) this.#found.set(file.path, at);
    }
    return answer;
  }

  /**
   * Requests `url` and follows redirects.
   *
   * @returns The last response, its URL, and the metadata of the file from the
   * hub's own last response.
   */
  async #fetchFollowed(
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<{ answer: Response; at: URL; hubHeaders: Headers }> {
    let hubHeaders = new Headers();
    let at = url;
    for (let hops = 0;; hops++) {
      const answer = await this.#fetch(at, headers, signal);
      if (at.host === url.host) hubHeaders = answer.headers;
      const target = answer.headers.get("Location");
      if (!REDIRECTS.has(answer.status) || target === null) {
        return { answer, at, hubHeaders };
      }
      await answer.body?.cancel();
      const next = URL.parse(target, at);
      const downgrade = at.protocol === "https:" && next?.protocol !== "https:";
      if (next === null || downgrade || hops === MAX_REDIRECTS) {
        throw new RemoteError(
          `Cannot follow ${this.place}: it redirects ${
            hops === MAX_REDIRECTS ? "in a loop" : "to a URL that is not https"
          }`,
          { type: "elsewhere" },
        );
      }
      at = next;
    }
  }

  async #fetch(
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> {
    const { token, fetch } = this.#options;
    const own = token !== undefined && url.origin === this.#endpoint.origin;
    try {
      return await fetch(url, {
        headers: {
          // A compressed body has no ranges.
          "Accept-Encoding": "identity",
          "User-Agent": "emu3",
          ...headers,
          ...own ? { Authorization: `Bearer ${token}` } : {},
        },
        redirect: "manual",
        signal,
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new RemoteError(
        `Cannot reach ${url.host} for ${this.place}: ${reason(cause)}`,
        { type: "retry", retryAfterMs: undefined },
        { cause },
      );
    }
  }

  async #refusal(answer: Response, what: string): Promise<RemoteError> {
    const code = answer.headers.get("X-Error-Code");
    await answer.body?.cancel();
    return new RemoteError(
      `Cannot read ${what}: ${this.#why(answer.status, code)}`,
      remedyOf(answer, Date.now()),
    );
  }

  #why(status: number, code: string | null): string {
    const known = this.#options.token !== undefined;
    switch (true) {
      case code === "GatedRepo":
        return known
          ? `it is gated and this HF_TOKEN has no access (${status}); request access on its page`
          : `it is gated (${status}); request access on its page and set HF_TOKEN`;
      case status === 401 || status === 403:
        return known
          ? `HF_TOKEN has no access (${status}), or the repository does not exist`
          : `it is private or does not exist (${status}); set HF_TOKEN for a private one`;
      case code === "RevisionNotFound":
        return `there is no revision "${this.#source.revision}"`;
      case status === 404:
        return "the repository or file does not exist (404)";
      case status === 429:
        return "too many requests (429); set HF_TOKEN for a higher limit";
      default:
        return `the hub responds with ${status}`;
    }
  }

  #url(path: string): URL {
    return new URL(`${this.#endpoint.href.replace(/\/+$/, "")}/${path}`);
  }
}

/** Returns the message of an error without the URL, which may be signed. */
function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\(?https?:\/\/[^\s)]*\)?:?/g, "").trim() ||
    "no connection";
}
