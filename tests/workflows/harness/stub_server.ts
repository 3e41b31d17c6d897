/**
 * An emulated server of the endpoints that chains call: jobs with a state that
 * survives kill -9, and a record of everything that it drew.
 *
 * ```text
 * PORT         port on loopback
 * STUB_FOLDER  folder of its jobs and of its record, `events.jsonl`
 * STUB_MS      milliseconds of a drawing (50)
 * STUB_SIZE    rows and columns of a picture (4)
 * STUB_QUEUE   jobs that it takes at once; 429 to further ones (1000)
 * ```
 *
 * A job that runs when the server dies is interrupted and can be resumed, as one
 * of the real server. Codes are a function of prompt and seed.
 *
 * @module
 */

import { join } from "node:path";

/** An event of the record. */
export interface StubEvent {
  /**
   * `draw`, `resume`, `drawn` and `canceled` of a job; otherwise the path of a
   * request.
   */
  readonly event: string;
  /** Idempotency key of the request, or of that of the job. */
  readonly key: string | null;
  /** Id of the job. */
  readonly job?: string;
}

interface Job {
  readonly id: string;
  readonly key: string | null;
  readonly body: { readonly prompt: string; readonly seed: number };
  status: "running" | "succeeded" | "interrupted" | "canceled";
  result?: Record<string, unknown>;
}

/** Rows and columns of a drawn picture. */
const SIZE = Number(Deno.env.get("STUB_SIZE") ?? 4);

const folder = Deno.env.get("STUB_FOLDER")!;
const drawingMs = Number(Deno.env.get("STUB_MS") ?? 50);
const queue = Number(Deno.env.get("STUB_QUEUE") ?? 1000);
const jobs = new Map<string, Job>();
const running = new Map<
  string,
  { readonly timer: ReturnType<typeof setTimeout>; done: () => void }
>();

if (import.meta.main) {
  Deno.mkdirSync(folder, { recursive: true });
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".json")) continue;
    const job = JSON.parse(Deno.readTextFileSync(join(folder, name))) as Job;
    if (job.status === "running") job.status = "interrupted";
    jobs.set(job.id, job);
  }
  const port = Number(Deno.env.get("PORT"));
  Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, answer);
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const key = request.headers.get("idempotency-key");
  if (pathname === "/readyz") return new Response("ready");
  const [, id, action] = /^\/v1\/jobs\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ??
    [];
  if (id !== undefined) return await answerJob(request.method, id, action);
  const body = await request.json();
  record({ event: pathname, key });
  switch (pathname) {
    case "/v1/generate":
      return submit(key, body);
    case "/v1/caption":
      return Response.json({ text: "a rocket above a tree" });
    case "/v1/score":
      return Response.json({ "logprob_per_token": -1 });
    case "/v1/tokenize":
      return Response.json(gridOf("tokenize", 0));
  }
  return problem(404, "no such route");
}

function submit(key: string | null, body: Job["body"]): Response {
  if (body.prompt === "refuse") return problem(422, "the prompt is refused");
  const known = [...jobs.values()].find((job) =>
    key !== null && job.key === key
  );
  if (known === undefined && running.size >= queue) {
    const headers = { "retry-after": "1" };
    return problem(429, "the queue is full", headers);
  }
  const job = known ??
    { id: crypto.randomUUID(), key, body, status: "running" };
  if (known === undefined) {
    save(job);
    run(job, "draw");
  }
  return Response.json(shown(job), { status: 202 });
}

async function answerJob(
  method: string,
  id: string,
  action: string | undefined,
): Promise<Response> {
  const job = jobs.get(id);
  if (job === undefined) return problem(404, "no such job");
  if (method === "DELETE") {
    if (job.status === "running" || job.status === "interrupted") {
      end(job, "canceled");
    }
    return Response.json(shown(job));
  }
  if (action === "resume") {
    if (job.status === "interrupted") run(job, "resume");
    return Response.json(shown(job), { status: 202 });
  }
  if (action === "events") {
    const { promise, resolve } = Promise.withResolvers<void>();
    const current = running.get(id);
    if (current === undefined) resolve();
    else {
      const { done } = current;
      current.done = () => (done(), resolve());
    }
    await promise;
    return new Response("event: end\n\n", {
      headers: { "content-type": "text/event-stream" },
    });
  }
  return Response.json(shown(job));
}

/** Draws a job, or continues it. */
function run(job: Job, event: "draw" | "resume"): void {
  job.status = "running";
  save(job);
  record({ event, key: job.key, job: job.id });
  const timer = setTimeout(() => {
    job.result = resultOf(job);
    end(job, "succeeded");
  }, drawingMs);
  running.set(job.id, { timer, done: () => {} });
}

function end(job: Job, status: "succeeded" | "canceled"): void {
  job.status = status;
  save(job);
  const event = status === "succeeded" ? "drawn" : "canceled";
  record({ event, key: job.key, job: job.id });
  const current = running.get(job.id);
  running.delete(job.id);
  clearTimeout(current?.timer);
  current?.done();
}

function resultOf({ body }: Job): Record<string, unknown> {
  const { codes } = gridOf(body.prompt, body.seed);
  const bytes = new Uint8Array(new Uint16Array(codes.flat()).buffer);
  return {
    "grid_height": SIZE,
    "grid_width": SIZE,
    "b64_json": bytes.toBase64(),
  };
}

/** Returns codes that differ by prompt and seed. */
function gridOf(prompt: string, seed: number) {
  const first = [...prompt].reduce((sum, c) => sum + c.charCodeAt(0), seed);
  const codes = Array.from(
    { length: SIZE },
    (_, y) =>
      Array.from({ length: SIZE }, (_, x) => (first + y * SIZE + x) % 32768),
  );
  return { height: SIZE, width: SIZE, codes };
}

function shown({ id, status, result }: Job): Record<string, unknown> {
  const resumable = status === "interrupted";
  return { id, status, resumable, ...result && { result } };
}

/** Saves a job before anything of it is answered. */
function save(job: Job): void {
  jobs.set(job.id, job);
  const file = join(folder, `${job.id}.json`);
  Deno.writeTextFileSync(`${file}~`, JSON.stringify(job));
  Deno.renameSync(`${file}~`, file);
}

function record(event: StubEvent): void {
  const line = `${JSON.stringify(event)}\n`;
  Deno.writeTextFileSync(join(folder, "events.jsonl"), line, { append: true });
}

function problem(
  status: number,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ status, detail }, { status, headers });
}
