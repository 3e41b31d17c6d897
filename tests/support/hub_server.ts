/**
 * The emulator of Hugging Face's hub: API and pages on one port, the CDN of
 * large files on another.
 *
 * ```text
 * /api/models/{repository}/revision/{revision}?blobs=true
 * /api/models/{repository}/tree/{revision}    for Hugging Face's tools
 * /{repository}/resolve/{revision}/{path}     302 ─▶ CDN /{sha256}?signature=…
 * ```
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type Fault, type FaultSchedule, NO_FAULTS } from "./fault_schedule.ts";

/** A model at one commit. */
export interface HubModel {
  /** Commit of 40 hex digits. */
  readonly commit: string;
  /** Contents by path; safetensors count as large files. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** The behavior of a hub. */
export interface HubBehavior {
  /** Versions of the model; the fault "moved" advances to the next. */
  readonly versions: readonly [HubModel, ...HubModel[]];
  /** Token of readers; undefined for public access. */
  readonly token?: string;
  /** True to deny access, as to a gated repository. */
  readonly gated?: boolean;
  /** Faults of requests. */
  readonly faults?: FaultSchedule;
}

/** A request that a hub received. */
export interface SeenRequest {
  /** True for a request to the CDN. */
  readonly cdn: boolean;
  /** Path and query. */
  readonly path: string;
  /** Range header. */
  readonly range: string | null;
  /** Authorization header. */
  readonly authorization: string | null;
}

/** A running hub. */
export interface HubServer extends AsyncDisposable {
  /** Value for HF_ENDPOINT. */
  readonly endpoint: string;
  /** Requests so far. */
  readonly seen: readonly SeenRequest[];
}

/** Repository that every hub has. */
export const REPOSITORY = "org/tiny";

/** Computes SHA-256 in hex. */
export function sha256Of(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Computes Git's hash of a blob. */
export function gitHashOf(content: Uint8Array): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content)
    .digest("hex");
}

/** Starts a hub. */
export function hubServer(behavior: HubBehavior): HubServer {
  const { versions, faults = NO_FAULTS } = behavior;
  const seen: SeenRequest[] = [];
  const stop = new AbortController();
  let version = 0;
  const listen = (
    cdn: boolean,
    answer: (request: Request, fault: Fault | undefined) => Response,
  ) =>
    Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      signal: stop.signal,
      onListen: () => {},
    }, (request) => {
      const url = new URL(request.url);
      const asked = {
        cdn,
        path: url.pathname + url.search,
        range: request.headers.get("Range"),
        authorization: request.headers.get("Authorization"),
      };
      const fault = faults(seen.length, asked);
      seen.push(asked);
      if (fault?.type === "moved") {
        version = Math.min(version + 1, versions.length - 1);
      }
      if (fault?.type === "status") {
        return new Response("no", {
          status: fault.status,
          headers: fault.retryAfter === undefined
            ? {}
            : { "Retry-After": fault.retryAfter },
        });
      }
      return answer(request, fault);
    });
  const cdn = listen(true, (request, fault) => {
    const { pathname, searchParams } = new URL(request.url);
    const known = versions.flatMap(({ files }) => [...files.values()])
      .find((content) => `/${sha256Of(content)}` === pathname);
    if (searchParams.get("signature") !== "good") return status(403);
    return known === undefined
      ? status(404)
      : bytesOf(request, known, { ETag: '"of-the-cdn"' }, fault, stop.signal);
  });
  const hub = listen(false, (request, fault) => {
    const refusal = refuse(request, behavior);
    if (refusal !== undefined) return refusal;
    const model = versions[version]!;
    const path = decodeURIComponent(new URL(request.url).pathname);
    const api = `/api/models/${REPOSITORY}/revision/`;
    if (path.startsWith(api)) {
      const revision = path.slice(api.length);
      // A listing has no hash, so a corrupted name could not be detected.
      const served = fault?.type === "corrupt" ? undefined : fault;
      return revision === "main" || revision === model.commit
        ? bytesOf(request, listingOf(model), {}, served, stop.signal)
        : status(404, { "X-Error-Code": "RevisionNotFound" });
    }
    if (path.startsWith(`/api/models/${REPOSITORY}/tree/`)) {
      return Response.json(treeOf(model));
    }
    const file = path.match(/^\/org\/tiny\/resolve\/[^/]+\/(.+)$/)?.[1];
    const content = model.files.get(file ?? "");
    if (content === undefined) {
      return status(404, { "X-Error-Code": "EntryNotFound" });
    }
    const commit = { "X-Repo-Commit": model.commit };
    if (!isLarge(file!)) {
      const ETag = `"${gitHashOf(content)}"`;
      return bytesOf(request, content, { ...commit, ETag }, fault, stop.signal);
    }
    const hash = sha256Of(content);
    return status(302, {
      ...commit,
      "X-Linked-Size": `${content.length}`,
      "X-Linked-Etag": `"${hash}"`,
      Location: `http://127.0.0.1:${cdn.addr.port}/${hash}?signature=good`,
    });
  });
  return {
    endpoint: `http://127.0.0.1:${hub.addr.port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all([hub.finished, cdn.finished]);
    },
  };
}

function isLarge(path: string): boolean {
  return path.endsWith(".safetensors");
}

function refuse(
  request: Request,
  { token, gated }: HubBehavior,
): Response | undefined {
  const shown = request.headers.get("Authorization");
  if (token !== undefined && shown !== `Bearer ${token}`) {
    return status(401, { "X-Error-Code": "RepoNotFound" });
  }
  return gated ? status(403, { "X-Error-Code": "GatedRepo" }) : undefined;
}

function listingOf({ commit, files }: HubModel): Uint8Array<ArrayBuffer> {
  const siblings = [...files].map(([rfilename, content]) => ({
    rfilename,
    size: content.length,
    blobId: gitHashOf(content),
    ...isLarge(rfilename)
      ? {
        lfs: {
          sha256: sha256Of(content),
          size: content.length,
          pointerSize: 134,
        },
      }
      : {},
  }));
  return new TextEncoder().encode(
    JSON.stringify({ id: REPOSITORY, sha: commit, siblings }),
  );
}

function treeOf({ files }: HubModel): object[] {
  return [...files].map(([path, content]) => ({
    type: "file",
    path,
    size: content.length,
    oid: gitHashOf(content),
    ...isLarge(path)
      ? {
        lfs: {
          oid: sha256Of(content),
          size: content.length,
          pointerSize: 134,
        },
      }
      : {},
  }));
}

/** Returns the requested range, as limited by `fault`. */
function bytesOf(
  request: Request,
  content: Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  fault: Fault | undefined,
  signal: AbortSignal,
): Response {
  const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("Range") ?? "");
  const ranged = asked !== null && fault?.type !== "whole";
  const start = ranged ? Number(asked[1]) : 0;
  const end = ranged ? Number(asked[2]) + 1 : content.length;
  if (end > content.length || start > end) return status(416);
  const part = content.slice(start, end);
  if (fault?.type === "corrupt" && part.length > 0) {
    part[Math.floor(fault.at * part.length)]! ^= 1;
  }
  return new Response(bodyOf(part, fault, signal), {
    status: ranged ? 206 : 200,
    headers: {
      ...headers,
      "Accept-Ranges": "bytes",
      ...fault?.type === "cut" || fault?.type === "stall"
        ? {}
        : { "Content-Length": `${part.length}` },
      ...ranged
        ? { "Content-Range": `bytes ${start}-${end - 1}/${content.length}` }
        : {},
    },
  });
}

function bodyOf(
  part: Uint8Array<ArrayBuffer>,
  fault: Fault | undefined,
  signal: AbortSignal,
): BodyInit {
  if (fault?.type !== "stall" && fault?.type !== "cut") return part;
  const some = part.subarray(0, Math.floor(fault.after * part.length));
  let end = () => {};
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      if (some.length > 0) controller.enqueue(some);
      if (fault.type === "cut") return controller.close();
      end = () => controller.close();
      signal.addEventListener("abort", () => end(), { once: true });
    },
    cancel: () => {
      end = () => {};
    },
  });
}

function status(code: number, headers: Record<string, string> = {}): Response {
  return new Response(code === 302 ? null : "no", { status: code, headers });
}
