/**
 * The run of a queue's job, from its input to its result.
 *
 * ```text
 * input ─▶ request ─▶ handler ─▶ answer ─▶ output
 *                        ├ progress, or parts of the answer
 *                        └ no room: retried later
 * ```
 *
 * @module
 */

import type { Delay } from "../../lib/async/delay.ts";
import type { RunpodApi, TakenJob } from "./api.ts";
import { OrderedSender } from "./ordered_sender.ts";
import { type JobRequest, parseJobInput } from "./job_input.ts";
import {
  answerResult,
  interruptedProblem,
  type JobResult,
  outputResult,
  type ProblemOf,
  problemResult,
} from "./job_result.ts";
import type {
  JobCall,
  JobEvent,
  JobInFlight,
  JobServer,
} from "./job_server.ts";
import { type AnswerPart, mergeParts, partsOf, textParts } from "./parts.ts";

/** Options of a job's run. */
export interface JobRunOptions {
  /** Server that runs the request. */
  readonly server: JobServer;
  /** Client that parts and progress are sent with. */
  readonly api: Pick<RunpodApi, "stream" | "progress">;
  /** Waits for a duration. */
  readonly delay: Delay;
  /** Called with errors of sending. */
  readonly onFailure: (error: unknown) => void;
}

/** The result of a job, and how it was delivered. */
export interface RanJob extends JobResult {
  /** True if parts of it were streamed before. */
  readonly streamed: boolean;
}

/** The progress of a job. */
interface Progress {
  readonly done: number;
  readonly total: number | undefined;
}

/** Interval between two progress reports. */
const PROGRESS_MS = 1000;

/** Seconds until a retry after an overload without Retry-After. */
const RETRY_SECONDS = 1;

/** Returns a job's request, or the problem of an invalid one. */
export function readJob(
  { id, input }: TakenJob,
  server: JobServer,
): JobRequest | JobResult {
  try {
    return parseJobInput(input, server);
  } catch (error) {
    return problemResult(server.problemOf(error, { id, path: "" }));
  }
}

/** The observer of a job. */
export interface JobWatch {
  /** Aborts to end the job early. */
  readonly signal: AbortSignal;
  /** Called with the request in flight, before it waits for its turn. */
  readonly inFlight: (inFlight: JobInFlight) => void;
}

/**
 * Runs a job.
 *
 * @returns The result; of an interrupted job, one with its resume input.
 */
export async function runJob(
  id: string,
  job: JobRequest,
  watch: JobWatch,
  options: JobRunOptions,
): Promise<RanJob> {
  const run = new JobRun(id, job, watch, options);
  return await run.result();
}

class JobRun {
  readonly #id: string;
  readonly #job: JobRequest;
  readonly #watch: JobWatch;
  readonly #signal: AbortSignal;
  readonly #options: JobRunOptions;
  readonly #seed: number;
  readonly #parts: OrderedSender<AnswerPart>;
  readonly #progress: OrderedSender<Progress>;
  readonly #problemOf: ProblemOf;
  readonly #ended = new AbortController();
  #inFlight: JobInFlight | undefined;
  #done = 0;
  #total: number | undefined;

  constructor(
    id: string,
    job: JobRequest,
    watch: JobWatch,
    options: JobRunOptions,
  ) {
    this.#id = id;
    this.#job = job;
    this.#watch = watch;
    this.#signal = watch.signal;
    this.#options = options;
    const { onFailure, server } = options;
    this.#seed = server.seed();
    const path = job.path.split("?")[0]!;
    this.#problemOf = (error) => server.problemOf(error, { id, path });
    this.#parts = new OrderedSender({
      send: (part) => this.#sendPart(part),
      merge: mergeParts,
      onFailure,
    });
    this.#progress = new OrderedSender({
      send: (progress) => this.#sendProgress(progress),
      merge: (_, newer) => newer,
      onFailure,
    });
  }

  async result(): Promise<RanJob> {
    try {
      return await this.#run();
    } finally {
      // RunPod loses an answer that a later progress report overtakes.
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
    const result = await answerResult(
      response,
      this.#options.server.outputOf,
      this.#problemOf,
    );
    if (this.#signal.aborted && !response.ok) return this.#interrupted();
    await this.#parts.drain();
    return { ...result, streamed: this.#job.streams };
  }

  /** Retries the request while the server is overloaded. */
  async #execute(): Promise<Response> {
    const { server, delay } = this.#options;
    for (;;) {
      const response = await server.execute(this.#request(), this.#call());
      const wait = response.headers.get("retry-after");
      if (response.status !== 503 || wait === null) return response;
      if (this.#signal.aborted) return response;
      await response.body?.cancel();
      const seconds = Math.max(Number(wait) || 0, RETRY_SECONDS);
      await delay(1000 * seconds, this.#signal);
    }
  }

  #request(): Request {
    const { method, path, headers, body } = this.#job;
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
      observer: {
        event: (event) => this.#observe(event),
        inFlight: (inFlight) => {
          this.#inFlight = inFlight;
          this.#watch.inFlight(inFlight);
        },
      },
    };
  }

  #observe(wire: JobEvent): void {
    const { event, data } = wire;
    // The answer itself is delivered in its own type.
    if (this.#job.streams && event !== "completed") this.#parts.push(wire);
    const fields = Object(data);
    if (event === "started") this.#total = rowsIn(fields);
    if (event !== "row" && event !== "delta") return;
    this.#done++;
    if (this.#job.streams || this.#ended.signal.aborted) return;
    this.#progress.push({ done: this.#done, total: this.#total });
  }

  /** Sends the text of OpenAI's streams in parts, and returns the whole. */
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
      // The client has received it.
      : outputResult({ streamed: sent.length }, this.#problemOf);
    return { ...result, streamed: true };
  }

  #interrupted(): RanJob {
    const problem = interruptedProblem(
      this.#inFlight,
      this.#options.server.interruption,
      this.#problemOf,
    );
    return { ...problemResult(problem), streamed: this.#job.streams };
  }

  async #sendPart(part: AnswerPart): Promise<void> {
    for (const output of partsOf(part)) {
      const text = JSON.stringify({ output });
      await this.#options.api.stream(this.#id, text, this.#signal);
    }
  }

  async #sendProgress({ done, total }: Progress): Promise<void> {
    const output = { done, total: total ?? null };
    const text = JSON.stringify({ status: "IN_PROGRESS", output });
    await this.#options.api.progress(this.#id, text);
    await this.#options.delay(PROGRESS_MS, this.#ended.signal);
  }
}

/** Returns the rows of all pictures, from the event that starts a drawing. */
function rowsIn(
  { n, rows }: { readonly n?: number; readonly rows?: number },
): number | undefined {
  return n === undefined || rows === undefined ? undefined : n * rows;
}
