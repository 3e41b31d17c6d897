/**
 * One job, from its input to what is handed in.
 *
 * ```text
 * input ─▶ request ─▶ handler ─▶ answer ─▶ output
 *                        ├ progress, or parts of the answer
 *                        └ no room: again later
 * ```
 *
 * @module
 */

import type { WireEvent } from "../http/sse.ts";
import type { Pause } from "../jobs/pause.ts";
import type { JobCall } from "../jobs/runner.ts";
import { type Problem, problemFrom } from "../http/errors/problem.ts";
import type { InFlight } from "../shutdown/in_flight.ts";
import type { RunpodApi, TakenJob } from "./api.ts";
import { Feed } from "./feed.ts";
import { type AskedJob, askedJob } from "./job_input.ts";
import {
  answerResult,
  interruptedProblem,
  type JobResult,
  outputResult,
  problemResult,
} from "./job_result.ts";
import { mergeParts, type Part, partsOf, textParts } from "./parts.ts";

/** What jobs run with. */
export interface JobRunOptions {
  /** Answers a request, whatever happens; its signal ends it early. */
  readonly execute: (request: Request, call: JobCall) => Promise<Response>;
  /** Where parts and progress go. */
  readonly api: Pick<RunpodApi, "stream" | "progress">;
  /** How time passes. */
  readonly pause: Pause;
  /** Told what could not be sent. */
  readonly onFailure: (error: unknown) => void;
  /** `PUBLIC_URL`, for the pages of problems. */
  readonly pageBase: string;
  /** A seed for draws that name none. */
  readonly seed: () => number;
}

/** What came of a job, and how. */
export interface RanJob extends JobResult {
  /** Whether parts of it were sent before. */
  readonly streamed: boolean;
}

/** How far a job is. */
interface Progress {
  readonly done: number;
  readonly total: number | undefined;
}

/** Between two words about how far a job is. */
const PROGRESS_MS = 1000;

/** When what was refused for lack of room is tried again, unless told. */
const RETRY_SECONDS = 1;

/** What a job asks, or the problem of one that asks for nothing there is. */
export function readJob(
  { id, input }: TakenJob,
  pageBase: string,
): AskedJob | JobResult {
  try {
    return askedJob(input);
  } catch (error) {
    return problemResult(problemOf({ id, path: "", pageBase })(error));
  }
}

/** Who looks after a job. */
export interface JobWatch {
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** Told what is under way, before it waits for its turn. */
  readonly inFlight: (inFlight: InFlight) => void;
}

/**
 * Runs a job.
 *
 * @returns What is to be handed in; of one that was ended early it says how to
 * go on.
 */
export async function runJob(
  id: string,
  asked: AskedJob,
  watch: JobWatch,
  options: JobRunOptions,
): Promise<RanJob> {
  const run = new JobRun(id, asked, watch, options);
  return await run.result();
}

class JobRun {
  readonly #id: string;
  readonly #asked: AskedJob;
  readonly #watch: JobWatch;
  readonly #signal: AbortSignal;
  readonly #options: JobRunOptions;
  readonly #seed: number;
  readonly #parts: Feed<Part>;
  readonly #progress: Feed<Progress>;
  readonly #problemOf: (error: unknown) => Problem;
  readonly #ended = new AbortController();
  #inFlight: InFlight | undefined;
  #done = 0;
  #total: number | undefined;

  constructor(
    id: string,
    asked: AskedJob,
    watch: JobWatch,
    options: JobRunOptions,
  ) {
    this.#id = id;
    this.#asked = asked;
    this.#watch = watch;
    this.#signal = watch.signal;
    this.#options = options;
    this.#seed = options.seed();
    const { onFailure, pageBase } = options;
    const path = asked.path.split("?")[0]!;
    this.#problemOf = problemOf({ id, path, pageBase });
    this.#parts = new Feed({
      send: (part) => this.#sendPart(part),
      merge: mergeParts,
      onFailure,
    });
    this.#progress = new Feed({
      send: (progress) => this.#sendProgress(progress),
      merge: (_, newer) => newer,
      onFailure,
    });
  }

  async result(): Promise<RanJob> {
    try {
      return await this.#run();
    } finally {
      // An answer that is overtaken by progress would be one that is lost.
      this.#ended.abort();
      await this.#progress.close();
      await this.#parts.close();
    }
  }

  async #run(): Promise<RanJob> {
    const response = await this.#execute();
    const type = response.headers.get("content-type") ?? "";
    if (response.ok && /^text\/event-stream\b/.test(type)) {
      return await this.#streamed(response);
    }
    const result = await answerResult(response, this.#problemOf);
    if (this.#signal.aborted && !response.ok) return this.#interrupted();
    await this.#parts.drain();
    return { ...result, streamed: this.#asked.streams };
  }

  /** Tries again while there is no room. */
  async #execute(): Promise<Response> {
    const { execute, pause } = this.#options;
    for (;;) {
      const response = await execute(this.#request(), this.#call());
      const wait = response.headers.get("retry-after");
      if (response.status !== 503 || wait === null) return response;
      if (this.#signal.aborted) return response;
      await response.body?.cancel();
      const seconds = Math.max(Number(wait) || 0, RETRY_SECONDS);
      await pause(1000 * seconds, this.#signal);
    }
  }

  #request(): Request {
    const { method, path, headers, body } = this.#asked;
    return new Request(new URL(path, "http://job.invalid"), {
      method,
      headers: { ...headers, "x-request-id": this.#id },
      body: body === undefined ? null : JSON.stringify(body),
      signal: this.#signal,
    });
  }

  #call(): JobCall {
    return {
      id: this.#id,
      seed: this.#seed,
      observe: (event) => this.#observe(event),
      inFlight: (inFlight) => {
        this.#inFlight = inFlight;
        this.#watch.inFlight(inFlight);
      },
    };
  }

  #observe(wire: WireEvent): void {
    const { event, data } = wire;
    // The answer itself is handed in as what it is.
    if (this.#asked.streams && event !== "completed") this.#parts.push(wire);
    const fields = Object(data);
    if (event === "started") this.#total = rowsIn(fields);
    if (event !== "row" && event !== "delta") return;
    this.#done++;
    if (this.#asked.streams || this.#ended.signal.aborted) return;
    this.#progress.push({ done: this.#done, total: this.#total });
  }

  /** The text of OpenAI's streams, also as a whole. */
  async #streamed(response: Response): Promise<RanJob> {
    const sent: string[] = [];
    for await (const text of textParts(response.body!)) {
      sent.push(text);
      this.#parts.push(text);
    }
    if (this.#signal.aborted) return this.#interrupted();
    await this.#parts.drain();
    const whole = outputResult(sent, this.#problemOf);
    const result = whole.problem === undefined
      ? whole
      // Whoever listened has it.
      : outputResult({ streamed: sent.length }, this.#problemOf);
    return { ...result, streamed: true };
  }

  #interrupted(): RanJob {
    const problem = interruptedProblem(this.#inFlight, this.#problemOf);
    return { ...problemResult(problem), streamed: this.#asked.streams };
  }

  async #sendPart(part: Part): Promise<void> {
    for (const output of partsOf(part)) {
      const text = JSON.stringify({ output });
      await this.#options.api.stream(this.#id, text, this.#signal);
    }
  }

  async #sendProgress({ done, total }: Progress): Promise<void> {
    const output = { done, total: total ?? null };
    const text = JSON.stringify({ status: "IN_PROGRESS", output });
    await this.#options.api.progress(this.#id, text);
    await this.#options.pause(PROGRESS_MS, this.#ended.signal);
  }
}

/** Rows of all pictures, as the event that starts a drawing says. */
function rowsIn(
  { n, rows }: { readonly n?: number; readonly rows?: number },
): number | undefined {
  return n === undefined || rows === undefined ? undefined : n * rows;
}

function problemOf(
  { id, path, pageBase }: {
    readonly id: string;
    readonly path: string;
    readonly pageBase: string;
  },
): (error: unknown) => Problem {
  return (error) =>
    problemFrom(error, { requestId: id, path, pageBase, clientGone: false });
}
