/**
 * An emulated server of the endpoints that chains call: answers at once, counts
 * requests by their keys, and refuses, delays or holds what a test says.
 *
 * @module
 */

import type { Grid } from "../../../deploy/workflows/schema/codes.ts";

/** The body of a request. */
export type Body = Readonly<Record<string, unknown>>;

/** The behavior that a test replaces. */
export interface Behavior {
  /** Called for each request; a response replaces the answer. */
  readonly intercept?: (
    path: string,
    body: Body,
  ) => Response | undefined | Promise<Response | undefined>;
  /** Answer to a question about a picture. */
  readonly caption?: (body: Body) => string;
  /** Fields of the score of a picture. */
  readonly score?: (body: Body) => Body;
  /** Resolves when a generation may end; at once by default. */
  readonly drawing?: (body: Body) => Promise<void>;
}

/** A job of the emulated server. */
interface Job {
  readonly key: string;
  readonly body: Body;
  status: "running" | "succeeded" | "canceled";
  readonly ended: Promise<void>;
  readonly end: () => void;
}

/** A request that the server has had. */
export interface SeenRequest {
  /** Method and path. */
  readonly path: string;
  /** Idempotency key; empty for none. */
  readonly key: string;
  /** Body; empty for none, and for other types than JSON. */
  readonly body: Body;
}

/** An emulated server. */
export interface EmulatedEmu3 extends AsyncDisposable {
  /** Address. */
  readonly url: string;
  /** All requests, in order. */
  readonly requests: SeenRequest[];
  /** Number of generations begun, by key. */
  readonly drawn: ReadonlyMap<string, number>;
  /** Keys of generations that were canceled. */
  readonly canceled: ReadonlySet<string>;
  /** Largest number of generations that ran at once. */
  readonly peak: () => number;
}

/** Returns the codes of a picture of 4 × 4 codes: determined by the seed. */
export function emulatedGrid(seed: number, prefix: number[][] = []): Grid {
  const codes = Array.from({ length: 4 }, (_, y) =>
    prefix[y] ??
      Array.from({ length: 4 }, (_, x) => (seed * 16 + y * 4 + x) % 32_768));
  return { height: 4, width: 4, codes };
}

/** Starts an emulated server. */
export function emulateEmu3(behavior: Behavior = {}): EmulatedEmu3 {
  const requests: SeenRequest[] = [];
  const drawn = new Map<string, number>();
  const canceled = new Set<string>();
  const jobs = new Map<string, Job>();
  let running = 0;
  let peak = 0;

  function submit(key: string, body: Body): Job {
    const existing = jobs.get(key);
    if (existing !== undefined) return existing;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const job: Job = { key, body, status: "running", ended, end };
    jobs.set(key, job);
    drawn.set(key, (drawn.get(key) ?? 0) + 1);
    peak = Math.max(peak, ++running);
    const drawing = behavior.drawing?.(body) ?? Promise.resolve();
    drawing.then(() => settle(job, "succeeded"));
    return job;
  }

  function settle(job: Job, status: Job["status"]): void {
    if (job.status !== "running") return;
    job.status = status;
    running--;
    if (status === "canceled") canceled.add(job.key);
    job.end();
  }

  function answer(path: string, { key, body }: SeenRequest): Response {
    const { grid: codes } = body as { readonly grid: Grid };
    switch (path) {
      case "POST /v1/generate": {
        const { key: name } = submit(key, body);
        return Response.json({ id: encodeURIComponent(name) }, { status: 202 });
      }
      case "POST /v1/caption":
        return Response.json({ text: behavior.caption?.(body) ?? "a picture" });
      case "POST /v1/score":
        return Response.json(
          behavior.score?.(body) ??
            { logprob_per_token: -1, rows: codes.codes.map(() => -4) },
        );
      case "POST /v1/tokenize":
        return Response.json(emulatedGrid(7));
    }
    const [, method, id, rest] = /^(\w+) \/v1\/jobs\/([^/]+)(.*)$/.exec(path) ??
      [];
    const job = jobs.get(decodeURIComponent(id ?? ""));
    if (job === undefined) {
      return Response.json({ status: 404, title: "Not found" }, {
        status: 404,
      });
    }
    if (method === "DELETE") settle(job, "canceled");
    if (rest === "/events") {
      const { ended } = job;
      return new Response(
        new ReadableStream({
          start: async (stream) => {
            await ended;
            try {
              stream.close();
            } catch {
              // The client has left.
            }
          },
        }),
      );
    }
    const { status } = job;
    return Response.json({
      status,
      resumable: false,
      ...status === "succeeded" && { result: resultOf(job.body) },
    });
  }

  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const path = `${request.method} ${pathname}`;
      const text = await request.text();
      const json = request.headers.get("content-type") === "application/json";
      const body: Body = json ? JSON.parse(text) : {};
      const key = request.headers.get("idempotency-key") ?? "";
      const seen = { path, key, body };
      requests.push(seen);
      return await behavior.intercept?.(path, body) ?? answer(path, seen);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    drawn,
    canceled,
    peak: () => peak,
    [Symbol.asyncDispose]: async () => {
      for (const job of jobs.values()) settle(job, "canceled");
      await server.shutdown();
    },
  };
}

/** Returns the result of a generation: its codes in base64. */
function resultOf(body: Body): Body {
  const { prefix } = body as { readonly prefix?: Grid };
  const { codes } = emulatedGrid(body["seed"] as number, prefix?.codes);
  const bytes = new Uint8Array(Uint16Array.from(codes.flat()).buffer);
  return { grid_height: 4, grid_width: 4, b64_json: bytes.toBase64() };
}
