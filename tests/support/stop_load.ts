/**
 * The clients of every kind at a server that is stopped amid their requests,
 * and their outcomes.
 *
 * @module
 */

import { ok, strictEqual } from "node:assert/strict";
import { JobClient } from "./job_client.ts";
import { json, parseEvents } from "./tiny_server.ts";

/** The outcome of a client. */
export type Outcome =
  /** Answer. */
  | { readonly type: "answered"; readonly essence: string }
  /** Job that can be resumed. */
  | {
    readonly type: "kept";
    readonly job: string;
    /**
     * Seed; undefined if it was not reported, as for a request that was a job
     * from the start.
     */
    readonly seed: number | undefined;
  }
  /** Refusal before any work. */
  | { readonly type: "refused" }
  /** Connection that the server closed before it read the request. */
  | { readonly type: "unread" };

/** A client. */
export interface StopClient {
  /** Name for messages. */
  readonly name: string;
  /** Seed of its request; undefined for a random one. */
  readonly seed: number | undefined;
  /** Sends the request once, to a server at this address. */
  readonly ask: (url: string) => Promise<Outcome>;
  /** Returns the essence of a job's result. */
  // deno-lint-ignore no-explicit-any
  readonly essenceOf: (result: any) => string;
  /** Sends the request with a seed: its answer is the same on any server. */
  readonly again: (url: string, seed: number) => Promise<Response>;
}

const SIZE = { height: 96, width: 64 };

/** Codes of a picture for questions. */
const GRID = {
  codes: Array.from(
    { length: 4 },
    (_, y) => Array.from({ length: 4 }, (_, x) => (7 * y + 3 * x) % 30),
  ),
};

/** Returns one client of each kind; `n` varies their pictures. */
export function stopClients(n: number): StopClient[] {
  const picture = { prompt: `${n} apples`, ...SIZE };
  const question = { grid: GRID, question: `what of ${n}?`, "max_tokens": 120 };
  return [
    plain("generate", "/v1/generate", { ...picture, n: 2 }, CODES),
    plain("greedy", "/v1/generate", { ...picture, temperature: 0 }, CODES),
    plain("png", "/v1/generate", picture, FILE, { accept: "image/png" }),
    streamed("events", "/v1/generate", { ...picture, seed: n }, CODES),
    plain("caption", "/v1/caption", question, TEXT),
    streamed("words", "/v1/caption", question, TEXT),
    plain("openai", "/v1/images/generations", { prompt: `${n} cats` }, DATA),
    inference({ ...SIZE, seed: n + 1 }, `${n} foxes`),
    job({ ...picture, seed: n + 2 }),
  ];
}

/** Extracts the essence of an answer: codes, bytes or words. */
interface Essence {
  // deno-lint-ignore no-explicit-any
  (result: any): string;
}

const CODES: Essence = ({ images }) =>
  // deno-lint-ignore no-explicit-any
  JSON.stringify(images.map(({ grid }: any) => grid.codes));
const TEXT: Essence = ({ text }) => text;
const FILE: Essence = ({ b64_json: base64 }) => base64;
const DATA: Essence = ({ data }) => JSON.stringify(data);

/** Creates a client that waits for a whole answer. */
function plain(
  name: string,
  path: string,
  body: Record<string, unknown>,
  essenceOf: Essence,
  headers: Record<string, string> = {},
): StopClient {
  const send = (url: string, more: Record<string, unknown> = {}) =>
    fetch(`${url}${path}`, json({ ...body, ...more }, headers));
  return {
    name,
    seed: seedIn(body),
    ask: async (url) => {
      const response = await send(url);
      if (!response.ok) return await outcomeOf(response);
      const result = headers["accept"] === "image/png"
        ? { "b64_json": (await response.bytes()).toBase64() }
        : await response.json();
      return { type: "answered", essence: essenceOf(result) };
    },
    essenceOf,
    again: (url, seed) => send(url, { seed }),
  };
}

/** Returns a seed; any will do if nothing is sampled. */
function seedIn(body: Record<string, unknown>): number | undefined {
  if (body["temperature"] === 0 || "question" in body) return 0;
  return body["seed"] as number | undefined;
}

/** Creates a client that reads events. */
function streamed(
  name: string,
  path: string,
  body: Record<string, unknown>,
  essenceOf: Essence,
): StopClient {
  const accept = "text/event-stream";
  return {
    ...plain(name, path, body, essenceOf),
    ask: async (url) => {
      const response = await fetch(`${url}${path}`, json(body, { accept }));
      if (!response.ok) return await outcomeOf(response);
      const events = parseEvents(await response.text());
      const last = events.at(-1)!;
      if (last.event === "error") return kept(last.data);
      strictEqual(last.event, "completed", name);
      return { type: "answered", essence: essenceOf(last.data) };
    },
  };
}

/** Creates a client of the Open Inference Protocol. */
function inference(
  parameters: Record<string, number>,
  prompt: string,
): StopClient {
  const send = (url: string, more: Record<string, number> = {}) =>
    fetch(
      `${url}/v2/models/generate/infer`,
      json({
        inputs: [
          { name: "prompt", datatype: "BYTES", shape: [1], data: [prompt] },
        ],
        outputs: [{ name: "codes" }],
        parameters: { ...parameters, ...more },
      }),
    );
  return {
    name: "inference",
    seed: parameters["seed"],
    ask: async (url) => {
      const response = await send(url);
      if (!response.ok) return await outcomeOf(response);
      const { outputs: [{ data }] } = await response.json();
      return { type: "answered", essence: JSON.stringify(data) };
    },
    // Its job is one of the generate function.
    essenceOf: ({ images: [{ grid }] }) => JSON.stringify(grid.codes.flat()),
    again: (url, seed) =>
      fetch(
        `${url}/v1/generate`,
        json({ prompt, ...parameters, seed }),
      ),
  };
}

/** Creates a client that does not wait. */
function job(body: Record<string, unknown>): StopClient {
  const prefer = "respond-async";
  return {
    ...plain("job", "/v1/generate", body, CODES),
    ask: async (url) => {
      const response = await fetch(
        `${url}/v1/generate`,
        json(body, { prefer }),
      );
      if (!response.ok) return await outcomeOf(response);
      const { id } = await response.json();
      return { type: "kept", job: id, seed: undefined };
    },
  };
}

async function outcomeOf(response: Response): Promise<Outcome> {
  strictEqual(response.status, 503);
  ok(Number(response.headers.get("retry-after")) > 0);
  const problem = await response.json();
  ok(problem.retryable, problem.detail);
  if (problem.type.endsWith("/draining")) return { type: "refused" };
  strictEqual(response.headers.get("location"), `/v1/jobs/${problem.job}`);
  return kept(problem);
}

// deno-lint-ignore no-explicit-any
function kept(problem: any): Outcome {
  ok(problem.type.endsWith("/interrupted"), problem.detail);
  strictEqual(problem.resume, `/v1/jobs/${problem.job}/resume`);
  return { type: "kept", job: problem.job, seed: problem.state?.seed };
}

/**
 * Returns the result of a job on the next server. A waiting job runs by itself,
 * an interrupted one is resumed.
 */
export async function endOf(
  url: string,
  job: string,
  { essenceOf }: StopClient,
): Promise<string> {
  const client = new JobClient((path, init) => fetch(`${url}${path}`, init));
  const { status } = await client.get(job);
  if (status === "interrupted") {
    const resumed = await client.resume(job);
    strictEqual(resumed.status, 202);
    await resumed.body?.cancel();
  }
  const ended = await client.ended(job);
  strictEqual(ended.status, "succeeded", JSON.stringify(ended.error));
  return essenceOf(ended.result);
}

/** Returns the outcome of a client at a server that is not stopped. */
export async function undisturbed(
  url: string,
  { again, essenceOf, name }: StopClient,
  seed: number,
): Promise<string> {
  const response = await again(url, seed);
  strictEqual(
    response.status,
    200,
    `${name}: ${response.ok || await response.clone().text()}`,
  );
  return essenceOf(
    response.headers.get("content-type") === "image/png"
      ? { "b64_json": (await response.bytes()).toBase64() }
      : await response.json(),
  );
}
