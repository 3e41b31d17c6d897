/**
 * The jobs of a chain: generations that outlive the service and the server.
 *
 * The key of the request names the job, so that a service that starts again
 * follows the job that is there. A job that a stopping server interrupted is
 * resumed, not started again.
 *
 * @module
 */

import {
  type Emu3Client,
  readAnswer,
  type StepRequest,
} from "./emu3_client.ts";
import { present, RefusedError, UnansweredError } from "./emu3_errors.ts";

/** The path of a submitted job, or the seconds to wait before the same request. */
export type Submission =
  | { readonly type: "done"; readonly value: string }
  | { readonly type: "wait"; readonly seconds: number };

/** The end of a job, or the seconds to wait before it is followed again. */
export type JobEnd =
  | { readonly type: "done"; readonly result: Record<string, unknown> }
  | { readonly type: "wait"; readonly seconds: number }
  /** The job is gone, or was canceled: it has to be submitted anew. */
  | { readonly type: "lost"; readonly reason: string };

/** The fields of a job that matter here. */
interface JobState {
  readonly status: string;
  readonly resumable: boolean;
  readonly error?: Readonly<Record<string, unknown>>;
  readonly result?: Record<string, unknown>;
}

/**
 * Submits `request` as a job; returns its path.
 *
 * @throws {RefusedError} If the server refuses it.
 * @throws {UnansweredError} If the server was not reached.
 */
export async function submitJob(
  client: Emu3Client,
  request: StepRequest,
  signal: AbortSignal,
): Promise<Submission> {
  const headers = { ...request.headers, prefer: "respond-async" };
  const attempt = await client.send({ ...request, headers }, signal);
  if (attempt.type === "wait") return attempt;
  const { id } = await readAnswer(attempt.response, signal);
  return { type: "done", value: `/v1/jobs/${id}` };
}

/**
 * Follows a job until its end, and returns its result.
 *
 * @throws {RefusedError} If the job failed for a reason of its request.
 * @throws {UnansweredError} If the server was not reached.
 */
export async function followJob(
  client: Emu3Client,
  job: string,
  signal: AbortSignal,
): Promise<JobEnd> {
  let failed = false;
  while (true) {
    const state = await stateOf(client, job, signal);
    if (state === undefined) {
      return { type: "lost", reason: "the server no longer has the job" };
    }
    switch (state.status) {
      case "succeeded":
        return { type: "done", result: present(state.result, "result") };
      case "canceled":
        return { type: "lost", reason: "the job was canceled at the server" };
      case "queued":
      case "running":
        await readEvents(client, job, signal);
        continue;
    }
    if (!state.resumable) throw refusal(state);
    // The attempts of the step are limited, and further apart each time.
    if (failed) throw new UnansweredError(`${job} failed again`);
    failed = state.status === "failed";
    const resumed = await client.send({ path: `${job}/resume` }, signal);
    if (resumed.type === "wait") return resumed;
    await resumed.response.body?.cancel();
  }
}

/** Cancels a job, which may have ended or be gone. */
export async function cancelJob(
  client: Emu3Client,
  job: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const attempt = await client.send({ method: "DELETE", path: job }, signal);
    if (attempt.type === "done") await attempt.response.body?.cancel();
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  }
}

/** Returns the state of a job; undefined if the server does not have it. */
async function stateOf(
  client: Emu3Client,
  job: string,
  signal: AbortSignal,
): Promise<JobState | undefined> {
  try {
    const attempt = await client.send({ method: "GET", path: job }, signal);
    if (attempt.type === "wait") {
      throw new UnansweredError(`${job} is not available`);
    }
    return await readAnswer(
      attempt.response,
      signal,
    ) as unknown as JobState;
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return undefined;
    throw error;
  }
}

/** Reads the events of a job until its end: an open connection, no polling. */
async function readEvents(
  client: Emu3Client,
  job: string,
  signal: AbortSignal,
): Promise<void> {
  const path = `${job}/events`;
  const attempt = await client.send({ method: "GET", path }, signal);
  if (attempt.type === "wait") {
    throw new UnansweredError(`${path} is not available`);
  }
  try {
    await attempt.response.body?.pipeTo(new WritableStream(), { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new UnansweredError(`${path} broke off: ${error}`);
  }
}

function refusal({ error = {}, status }: JobState): RefusedError {
  const { status: code } = error;
  const number = typeof code === "number" ? code : 500;
  return new RefusedError(number, { detail: `the job ${status}`, ...error });
}
