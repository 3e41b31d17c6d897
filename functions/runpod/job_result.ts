/**
 * What came of a job, in RunPod's words: `{"output": …}`, or `{"error": "…"}`
 * with our problem document as JSON in it.
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";
import { stateOf } from "../shutdown/interruption.ts";
import { resultFields } from "../jobs/job.ts";
import type { Problem } from "../http/errors/problem.ts";
import { InterruptedError } from "../http/errors/errors.ts";
import type { InFlight } from "../shutdown/in_flight.ts";
import { isRecord } from "./api.ts";

/** Bytes that RunPod takes of a job's answer. */
export const MAX_OUTPUT_BYTES = 20_000_000;

/** What is handed in. */
export interface JobResult {
  /** JSON. */
  readonly text: string;
  /** Code of the problem; undefined for an answer. */
  readonly problem: string | undefined;
}

/** An answer of more bytes than RunPod takes. */
export class AnswerTooLargeError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param bytes That it has.
   */
  constructor(bytes: number) {
    super(
      "answer-too-large",
      `Cannot hand back answer: it has ${bytes} bytes and RunPod takes ${MAX_OUTPUT_BYTES}, ask for fewer pictures, for "accept": "image/jpeg", or for codes alone with "accept": "application/octet-stream"`,
    );
  }
}

/** A result made of `output`; one that says so where it is too large. */
export function outputResult(
  output: unknown,
  problemOf: (error: unknown) => Problem,
): JobResult {
  const text = JSON.stringify({ output });
  const bytes = new TextEncoder().encode(text).length;
  return bytes <= MAX_OUTPUT_BYTES
    ? { text, problem: undefined }
    : problemResult(problemOf(new AnswerTooLargeError(bytes)));
}

/** A result made of an answer of one of our routes. */
export async function answerResult(
  response: Response,
  problemOf: (error: unknown) => Problem,
): Promise<JobResult> {
  if (response.ok) {
    const headers = Object.fromEntries(response.headers);
    const body = await response.bytes();
    const output = body.length === 0 ? null : resultFields({ headers, body });
    return outputResult(output, problemOf);
  }
  const text = await response.text();
  return problemResult(parsed(text) ?? problemOf(new Error(text)));
}

/** A result made of a problem. */
export function problemResult(
  problem: Readonly<Record<string, unknown>> | Problem,
): JobResult {
  const error = "error" in problem ? problem["error"] : undefined;
  const code = isRecord(error) ? error["code"] : undefined;
  return {
    text: JSON.stringify({ error: JSON.stringify(problem) }),
    problem: typeof code === "string" ? code : "internal",
  };
}

/** Has the worker taken down and replaced once the result is taken. */
export function withStop({ text, problem }: JobResult): JobResult {
  const result = { ...JSON.parse(text), stopPod: true };
  return { text: JSON.stringify(result), problem };
}

/**
 * The problem of a job that the server stopped in the middle of; as `resume` it
 * says what input goes on with it.
 */
export function interruptedProblem(
  inFlight: InFlight | undefined,
  problemOf: (error: unknown) => Problem,
): Readonly<Record<string, unknown>> {
  const state = stateOf(inFlight);
  const problem = problemOf(new InterruptedError(undefined, state));
  if (inFlight === undefined || state === undefined) return { ...problem };
  const { asked: { path, fields } } = inFlight;
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
