/**
 * The input of a queue's job, as a request to one of the routes.
 *
 * ```text
 * {openai_route, openai_input}            as RunPod's vLLM worker has it
 * {route, method, body, headers}          any route; `endpoint` is a synonym of `route`
 * {function: "generate", …fields}         a function and its fields
 * {prompt: …}, {image: …}, {messages: …}  the same, by its fields
 * ```
 *
 * Beside the fields of a function, `accept` names the type of the answer and
 * `stream` requests its parts.
 *
 * @module
 */

import { isRecord } from "./api.ts";
import type { JobServer } from "./job_server.ts";

/** The error thrown for an input that describes no request. */
export class JobInputError extends Error {
  /** Creates an error with the field at fault. */
  constructor(
    /** JSON pointer of the field, from the job. */
    readonly pointer: string,
    /** Expectation that failed; never the value that was sent. */
    readonly detail: string,
  ) {
    super(`Cannot run job: ${pointer}: ${detail}`);
    this.name = "JobInputError";
  }
}

/** The functions of the server that runs jobs. */
export type JobFunctions = Pick<JobServer, "functionNames" | "functionOf">;

/** A job as a request. */
export interface JobRequest {
  /** HTTP method of the request. */
  readonly method: string;
  /** Path and query of the request. */
  readonly path: string;
  /** Headers of the request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body as JSON; undefined for none. */
  readonly body: unknown;
  /** True if parts of the answer are streamed. */
  readonly streams: boolean;
  /** Rows of the language model that it may take. */
  readonly rows: number;
}

/** The fields of an input. */
type Input = Readonly<Record<string, unknown>>;

const CHAT = "/v1/chat/completions";

/** Fields that are allowed beside a route. */
const ROUTE_FIELDS = ["method", "body", "headers", "stream"];

const METHODS = ["GET", "POST", "PUT", "DELETE"];

/**
 * Returns the request that an input describes.
 *
 * @throws {JobInputError} If it describes no request.
 * @throws The error of `functions` if its fields belong to no function.
 */
export function parseJobInput(
  input: unknown,
  functions: JobFunctions,
): JobRequest {
  if (!isRecord(input)) {
    throw new JobInputError("/input", "expected an object");
  }
  if ("openai_route" in input || "openai_input" in input) {
    return openaiJob(input);
  }
  return "route" in input || "endpoint" in input
    ? routeJob(input)
    : functionJob(input, functions);
}

function openaiJob(input: Input): JobRequest {
  refuseOthers(input, ["openai_route", "openai_input"]);
  const path = pathIn(input, "openai_route");
  const { openai_input: body } = input;
  if (body !== undefined && !isRecord(body)) {
    throw new JobInputError("/input/openai_input", "expected an object");
  }
  // OpenAI's list of models has no body.
  const method = body === undefined || path === "/v1/models" ? "GET" : "POST";
  return requestOf(
    method,
    path,
    {},
    method === "GET" ? undefined : body,
    false,
  );
}

function routeJob(input: Input): JobRequest {
  const name = "route" in input ? "route" : "endpoint";
  refuseOthers(input, [name, ...ROUTE_FIELDS]);
  const path = pathIn(input, name);
  const { body } = input;
  const method = input["method"] ?? (body === undefined ? "GET" : "POST");
  const known = METHODS.find((known) => known === String(method).toUpperCase());
  if (known === undefined) {
    throw new JobInputError("/input/method", `expected ${METHODS.join(", ")}`);
  }
  if (known === "GET" && body !== undefined) {
    throw new JobInputError(
      "/input/body",
      "omit it: GET requests have no body",
    );
  }
  return requestOf(known, path, headersIn(input), body, streamIn(input));
}

function functionJob(input: Input, functions: JobFunctions): JobRequest {
  const { function: named, accept, stream, ...body } = input;
  const path = "messages" in body && named === undefined
    ? CHAT
    : `/v1/${functionIn(named, body, functions)}`;
  if (accept !== undefined && typeof accept !== "string") {
    throw new JobInputError("/input/accept", "expected a media type");
  }
  const streams = streamIn({ stream });
  const headers = { accept: accept ?? "application/json" };
  return path === CHAT
    ? requestOf("POST", path, headers, { ...body, stream: streams }, false)
    : requestOf("POST", path, headers, body, streams);
}

function functionIn(
  named: unknown,
  body: Input,
  { functionNames: names, functionOf }: JobFunctions,
): string {
  if (named === undefined) return functionOf(body);
  const known = names.find((name) => name === named);
  if (known !== undefined) return known;
  throw new JobInputError("/input/function", `expected ${names.join(", ")}`);
}

function requestOf(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  streams: boolean,
): JobRequest {
  return {
    method,
    path,
    headers: {
      ...headers,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    body,
    streams,
    rows: rowsOf(path, body),
  };
}

/** Returns the rows of a request: guided pictures take two each, others one. */
function rowsOf(path: string, body: unknown): number {
  const draws = /^\/v1\/(generate|images\/\w+)(\?|$)/.test(path);
  if (!draws || !isRecord(body)) return 1;
  const { n, guidance_scale: scale } = body;
  const pictures = typeof n === "number" && n > 0 ? Math.ceil(n) : 1;
  return (scale === 1 ? 1 : 2) * pictures;
}

function pathIn(input: Input, name: string): string {
  const path = input[name];
  const expected = 'expected a path such as "/v1/generate"';
  if (typeof path !== "string" || path.includes("://")) {
    throw new JobInputError(`/input/${name}`, expected);
  }
  const whole = path.startsWith("/") ? path : `/${path}`;
  // A path that a URL normalizes would reach another route.
  const url = URL.parse(whole, "http://job.invalid");
  if (
    url?.origin === "http://job.invalid" &&
    `${url.pathname}${url.search}` === whole
  ) return whole;
  throw new JobInputError(`/input/${name}`, expected);
}

function headersIn({ headers }: Input): Record<string, string> {
  if (headers === undefined) return { accept: "application/json" };
  if (!isRecord(headers)) {
    throw new JobInputError("/input/headers", "expected an object");
  }
  const entries = Object.entries(headers).map(([name, value]) => {
    const pointer = `/input/headers/${pointerPart(name)}`;
    const known = name.toLowerCase();
    if (known !== "accept") {
      throw new JobInputError(
        pointer,
        "expected accept, the only header of a job",
      );
    }
    if (typeof value === "string" && /^[\x20-\x7e]*$/.test(value)) {
      return [known, value];
    }
    throw new JobInputError(pointer, "expected text");
  });
  return { accept: "application/json", ...Object.fromEntries(entries) };
}

function streamIn({ stream }: Input): boolean {
  if (stream === undefined || stream === null) return false;
  if (typeof stream === "boolean") return stream;
  throw new JobInputError("/input/stream", "expected true or false");
}

function refuseOthers(input: Input, known: readonly string[]): void {
  const other = Object.keys(input).find((name) => !known.includes(name));
  if (other === undefined) return;
  throw new JobInputError(
    `/input/${pointerPart(other)}`,
    `unknown field besides ${known[0]}; expected ${known.join(", ")}`,
  );
}

/** Most characters of a field's name that a pointer repeats. */
const MAX_NAME = 64;

function pointerPart(name: string): string {
  return name.slice(0, MAX_NAME).replaceAll("~", "~0").replaceAll("/", "~1");
}
