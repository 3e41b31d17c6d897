/**
 * The client of the workflow engine: Restate's ingress.
 *
 * ```text
 * POST /{chain}/{key}/run/send                 starts a workflow, once for a key
 * POST /{chain}/{key}/status | grids | cancel  handlers beside the running one
 * GET  /restate/workflow/{chain}/{key}/output  its end; 470 until then
 * GET  /restate/workflow/{chain}/{key}/attach  waits for its end
 * ```
 *
 * Every request may be repeated, since a key has one workflow. The engine tells
 * its own errors from those of a workflow by the member `source`.
 *
 * @module
 */

import * as v from "valibot";
import { Grid } from "../../deploy/workflows/schema/codes.ts";
import { ChainStatus } from "../../deploy/workflows/schema/status.ts";
import { delay } from "../../lib/async/delay.ts";
import { BodyTooComplexError } from "../http/errors/errors.ts";
import { WorkflowsUnavailableError } from "../http/errors/workflow_errors.ts";

/** The address of the workflow engine. */
export interface IngressOptions {
  /** URL of Restate's ingress. */
  readonly url: string;
  /** Bearer token; undefined for none. */
  readonly token: string | undefined;
  /** Time of a request, in milliseconds; 30 seconds by default. */
  readonly timeoutMs?: number;
  /** Pause before a request is repeated, in milliseconds; 250 by default. */
  readonly pauseMs?: number;
}

/** The names of a workflow. */
export interface WorkflowName {
  /** Name of the chain. */
  readonly chain: string;
  /** Key of the workflow. */
  readonly key: string;
}

/** The end of a workflow, as far as it is known. */
export type WorkflowEnd =
  | { readonly type: "unknown" }
  | { readonly type: "running" }
  | { readonly type: "succeeded"; readonly output: Uint8Array<ArrayBuffer> }
  | { readonly type: "canceled" }
  | {
    readonly type: "failed";
    readonly status: number;
    readonly message: string;
  };

/** An answer of the engine. */
interface IngressAnswer {
  readonly status: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** A request to the engine. */
interface IngressRequest {
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Attempts of a request while the engine is not reached. */
const ATTEMPTS = 3;

/** Status of the output of a running workflow. */
const NOT_READY = 470;

const Submission = v.object({
  status: v.picklist(["Accepted", "PreviouslyAccepted"]),
});

/** The schema of an error of the engine, or of a workflow. */
const Fault = v.object({
  message: v.string(),
  source: v.optional(v.string()),
});

/** The workflow engine of a server. */
export class WorkflowIngress {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #pauseMs: number;

  /** Creates a client; nothing is sent yet. */
  constructor(
    { url, token, timeoutMs = 30_000, pauseMs = 250 }: IngressOptions,
  ) {
    this.#url = url;
    this.#headers = token === undefined
      ? {}
      : { authorization: `Bearer ${token}` };
    this.#timeoutMs = timeoutMs;
    this.#pauseMs = pauseMs;
  }

  /** Starts a workflow; returns false if its key has one already. */
  async start(
    name: WorkflowName,
    input: unknown,
    signal: AbortSignal,
  ): Promise<boolean> {
    const answer = await this.#call(name, "run/send", input, signal);
    return parsed(Submission, answer).status === "Accepted";
  }

  /** Returns the status of a workflow; undefined before it has begun. */
  async status(
    name: WorkflowName,
    signal: AbortSignal,
  ): Promise<ChainStatus | undefined> {
    const answer = await this.#call(name, "status", undefined, signal);
    return parsed(v.nullable(ChainStatus), answer) ?? undefined;
  }

  /** Returns the codes that a workflow calls `grid`; undefined for none. */
  async grid(
    name: WorkflowName,
    grid: string,
    signal: AbortSignal,
  ): Promise<Grid | undefined> {
    const answer = await this.#call(name, "grids", [grid], signal);
    const grids = parsed(v.record(v.string(), Grid), answer);
    return Object.hasOwn(grids, grid) ? grids[grid] : undefined;
  }

  /** Cancels a workflow; returns false if it has not begun. */
  async cancel(name: WorkflowName, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#call(name, "cancel", undefined, signal);
    return parsed(v.boolean(), answer);
  }

  /** Returns the end of a workflow. */
  async end(name: WorkflowName, signal: AbortSignal): Promise<WorkflowEnd> {
    const path = `/restate/workflow/${pathOf(name)}/output`;
    const timeoutMs = this.#timeoutMs;
    return endOf(await this.#send({ path, signal, timeoutMs }));
  }

  /** Returns the end of a workflow as soon as it has one, within a time. */
  async attach(
    name: WorkflowName,
    { signal, timeoutMs }: Pick<IngressRequest, "signal" | "timeoutMs">,
  ): Promise<WorkflowEnd> {
    const path = `/restate/workflow/${pathOf(name)}/attach`;
    try {
      return endOf(await this.#send({ path, signal, timeoutMs }));
    } catch (error) {
      if (error instanceof Error && isTimeout(error.cause)) {
        return { type: "running" };
      }
      throw error;
    }
  }

  async #call(
    name: WorkflowName,
    handler: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<IngressAnswer> {
    const answer = await this.#send({
      path: `/${pathOf(name)}/${handler}`,
      body: body ?? null,
      signal,
      timeoutMs: this.#timeoutMs,
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusal(answer.status, name.chain);
  }

  /** Sends a request, again while no connection is made. */
  async #send(request: IngressRequest): Promise<IngressAnswer> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#attempt(request);
      } catch (cause) {
        request.signal.throwIfAborted();
        if (isTimeout(cause)) {
          const seconds = request.timeoutMs / 1000;
          const reason = `the workflow engine did not answer in ${seconds} s`;
          throw new WorkflowsUnavailableError(reason, { cause });
        }
        if (attempt === ATTEMPTS) {
          const reason =
            "the workflow engine is not reached at WORKFLOWS_URL; check that it runs";
          throw new WorkflowsUnavailableError(reason, { cause });
        }
        await delay(attempt * this.#pauseMs, request.signal);
      }
    }
  }

  async #attempt(
    { path, body, signal, timeoutMs }: IngressRequest,
  ): Promise<IngressAnswer> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${this.#url}${path}`, {
      signal: AbortSignal.any([signal, timeout]),
      headers: this.#headers,
      ...body !== undefined && {
        method: "POST",
        headers: { ...this.#headers, "content-type": "application/json" },
        body: JSON.stringify(body),
      },
    });
    return { status: response.status, body: await response.bytes() };
  }
}

function pathOf({ chain, key }: WorkflowName): string {
  return `${encodeURIComponent(chain)}/${encodeURIComponent(key)}`;
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

/** Returns the end that an answer reports. */
function endOf({ status, body }: IngressAnswer): WorkflowEnd {
  if (status === 200) return { type: "succeeded", output: body };
  if (status === NOT_READY) return { type: "running" };
  const fault = v.safeParse(Fault, jsonOf(body));
  const { message, source } = fault.success
    ? fault.output
    : { message: "", source: undefined };
  if (source === "invocation" && status >= 400) {
    return /^cancell?ed$/i.test(message)
      ? { type: "canceled" }
      : { type: "failed", status, message };
  }
  if (status === 404 && fault.success) return { type: "unknown" };
  throw refusal(status, undefined);
}

/** Returns the error of a refused request. */
function refusal(status: number, chain: string | undefined): Error {
  switch (status) {
    case 401:
    case 403:
      return new WorkflowsUnavailableError(
        "the workflow engine refuses the token; check WORKFLOWS_TOKEN",
      );
    case 404:
      return new WorkflowsUnavailableError(
        `the workflow engine has no service ${chain}; register the service of deploy/workflows`,
      );
    case 413:
      return new BodyTooComplexError(
        "it is larger than the workflow engine accepts; send fewer codes or prompts",
      );
    default:
      return new WorkflowsUnavailableError(
        `the workflow engine answered ${status}; see its log`,
      );
  }
}

/**
 * Parses the body of an answer.
 *
 * @throws {WorkflowsUnavailableError} If it has another schema.
 */
function parsed<T>(
  schema: v.GenericSchema<unknown, T>,
  { body }: IngressAnswer,
): T {
  const result = v.safeParse(schema, jsonOf(body));
  if (result.success) return result.output;
  throw new WorkflowsUnavailableError(
    "the answer of the workflow engine has another form; check WORKFLOWS_URL and the versions of both",
  );
}

/** Returns the value of JSON; undefined for anything else. */
function jsonOf(body: Uint8Array<ArrayBuffer>): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
