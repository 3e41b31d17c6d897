/**
 * The result of a job in RunPod's format: `{"output": …}`, or `{"error": "…"}`
 * with the problem document as JSON in it.
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";
import { isRecord } from "./api.ts";
import type { JobInFlight, JobProblem, JobServer } from "./job_server.ts";

/** Returns the problem document of an error in one job. */
export type ProblemOf = (error: unknown) => JobProblem;

/** Largest job answer that RunPod accepts, in bytes. */
export const MAX_OUTPUT_BYTES = 20_000_000;

/** The result of a job. */
export interface JobResult {
  /** Result as JSON. */
  readonly text: string;
  /** Code of the problem; undefined for an answer. */
  readonly problem: string | undefined;
}

/** The error of an answer that is larger than RunPod accepts. */
export class AnswerTooLargeError extends Emu3Error {
  /**
   * Creates the error from the answer's size.
   *
   * @param bytes Size of the answer.
   */
  constructor(bytes: number) {
    super(
      "answer-too-large",
      `Cannot return the result: it has ${bytes} bytes, more than RunPod's limit of ${MAX_OUTPUT_BYTES}; request fewer images, "accept": "image/jpeg", or codes only with "accept": "application/octet-stream"`,
    );
  }
}

/** Returns the result of an `output`; an error if it is too large. */
export function outputResult(
  output: unknown,
  problemOf: ProblemOf,
): JobResult {
  const text = JSON.stringify({ output });
  const bytes = new TextEncoder().encode(text).length;
  return bytes <= MAX_OUTPUT_BYTES
    ? { text, problem: undefined }
    : problemResult(problemOf(new AnswerTooLargeError(bytes)));
}

/** Returns the result of a route's answer. */
export async function answerResult(
  response: Response,
  outputOf: JobServer["outputOf"],
  problemOf: ProblemOf,
): Promise<JobResult> {
  if (response.ok) {
    const headers = Object.fromEntries(response.headers);
    const body = await response.bytes();
    const output = body.length === 0 ? null : outputOf(headers, body);
    return outputResult(output, problemOf);
  }
  const text = await response.text();
  return problemResult(parsed(text) ?? problemOf(new Error(text)));
}

/** Returns the result of a problem. */
export function problemResult(problem: JobProblem): JobResult {
  const error = problem["error"];
  const code = isRecord(error) ? error["code"] : undefined;
  return {
    text: JSON.stringify({ error: JSON.stringify(problem) }),
    problem: typeof code === "string" ? code : "internal",
  };
}

/** Returns a result after which RunPod replaces the worker. */
export function withStop({ text, problem }: JobResult): JobResult {
  const result = { ...JSON.parse(text), stopPod: true };
  return { text: JSON.stringify(result), problem };
}

/** Returns an interrupted job's problem; its `resume` is an input to go on. */
export function interruptedProblem(
  inFlight: JobInFlight | undefined,
  interruption: JobServer["interruption"],
  problemOf: ProblemOf,
): JobProblem {
  const { error, state } = interruption(inFlight);
  const problem = problemOf(error);
  if (inFlight === undefined || state === undefined) return problem;
  const { request: { path, fields } } = inFlight;
  const body = { ...fields, seed: state.seed, ...state.images[0] };
  return { ...problem, resume: { route: path, method: "POST", body } };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
