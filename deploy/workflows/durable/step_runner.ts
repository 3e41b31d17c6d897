/**
 * The runner of steps: calls of the endpoints that are journaled, so that none
 * of them runs again once it has an answer.
 *
 * Each has an Idempotency-Key of chain, workflow key and step: an attempt that
 * follows a crash gets the answer of the first one.
 *
 * @module
 */

import {
  CancelledError,
  type RestatePromise,
  type RunOptions,
  TerminalError,
  type UntypedState,
  type WorkflowContext,
} from "@restatedev/restate-sdk/fetch";
import {
  type Emu3Client,
  readAnswer,
  type StepRequest,
} from "../emu3/emu3_client.ts";
import { RefusedError } from "../emu3/emu3_errors.ts";
import { cancelJob, followJob, submitJob } from "../emu3/follow_job.ts";
import { ChainProblem } from "./chain_problem.ts";
import { ChainState } from "./chain_state.ts";

/** Limits on retries after failures of a server and lost connections. */
export const STEP_RETRIES: RunOptions<never> = {
  initialRetryInterval: { milliseconds: 250 },
  retryIntervalFactor: 2,
  maxRetryInterval: { seconds: 15 },
  // About an hour: the start of a server, with the download of its weights.
  maxRetryAttempts: 240,
};

/** Jobs that one step submits before the chain fails. */
const MAX_JOBS = 5;

/** A value of one attempt, or the reason that there is none yet. */
export type Attempted<T> =
  | { readonly type: "done"; readonly value: T }
  | { readonly type: "wait"; readonly seconds: number }
  | { readonly type: "lost"; readonly reason: string };

/** An attempt as its journal entry. */
export type StepOutcome<T> =
  | Exclude<Attempted<T>, { readonly type: "done" }>
  | { readonly type: "done"; readonly value: T; readonly seconds: number }
  | {
    readonly type: "refused";
    readonly status: number;
    readonly problem: Readonly<Record<string, unknown>>;
  };

/** A value with the duration of the attempt that produced it. */
export interface Timed<T> {
  /** Value. */
  readonly value: T;
  /** Seconds of the attempt. */
  readonly seconds: number;
}

/** Runs the steps of one chain. */
export class StepRunner {
  readonly #client: Emu3Client;
  /** Paths of jobs that have not ended, to cancel with the chain. */
  readonly #jobs = new Set<string>();
  /** Requests of jobs without an answer: the server may have them. */
  readonly #submitted = new Set<StepRequest>();
  /** Context of the chain. */
  readonly context: WorkflowContext<UntypedState>;
  /** Name of the chain. */
  readonly chain: string;
  /** Status of the chain. */
  readonly state: ChainState;

  /** Creates the runner of the chain named `chain`. */
  constructor(
    context: WorkflowContext<UntypedState>,
    client: Emu3Client,
    chain: string,
  ) {
    this.context = context;
    this.#client = client;
    this.chain = chain;
    this.state = new ChainState(context);
  }

  /** Submits a job, follows it, and returns its result. */
  async job(
    name: string,
    request: StepRequest,
  ): Promise<Timed<Record<string, unknown>>> {
    for (let attempt = 1; attempt <= MAX_JOBS; attempt++) {
      const suffix = attempt === 1 ? name : `${name}:${attempt}`;
      const submitted = { ...request, idempotencyKey: this.#keyOf(suffix) };
      const { value: job } = await this.#patiently(
        { name, journal: `${suffix}: submit` },
        (signal) => submitJob(this.#client, submitted, signal),
        submitted,
      );
      this.#jobs.add(job!);
      const end = await this.#patiently(
        { name, journal: suffix },
        async (signal) => {
          const outcome = await followJob(this.#client, job!, signal);
          if (outcome.type !== "done") return outcome;
          return { type: "done", value: outcome.result };
        },
      );
      this.#jobs.delete(job!);
      if (end.value !== undefined) {
        return { value: end.value, seconds: end.seconds };
      }
    }
    throw new TerminalError(`${name}: the server lost ${MAX_JOBS} jobs`, {
      errorCode: 502,
    });
  }

  /** Calls an endpoint whose answer comes in one connection. */
  async call<T>(
    name: string,
    request: StepRequest,
    read: (answer: Record<string, unknown>) => T,
  ): Promise<Timed<T>> {
    const keyed = { ...request, idempotencyKey: this.#keyOf(name) };
    const { value, seconds } = await this.#patiently<T>(
      { name, journal: name },
      async (signal) => {
        const attempt = await this.#client.send(keyed, signal);
        if (attempt.type === "wait") return attempt;
        const answer = await readAnswer(attempt.response, signal);
        return { type: "done", value: read(answer) };
      },
    );
    return { value: value!, seconds };
  }

  /**
   * Runs `attempt` as a journaled step, again after each wait that the server
   * asks for; returns no value if what it waited for was lost.
   *
   * @param submitted Request of a job, to cancel while it has no answer.
   * @throws {TerminalError} If the server refuses the request.
   */
  async #patiently<T>(
    { name, journal }: { readonly name: string; readonly journal: string },
    attempt: (signal: AbortSignal) => Promise<Attempted<T>>,
    submitted?: StepRequest,
  ): Promise<Timed<T | undefined>> {
    while (true) {
      this.state.step({ name, status: "running" });
      if (submitted !== undefined) this.#submitted.add(submitted);
      const outcome = await this.run(journal, attempt);
      if (submitted !== undefined) this.#submitted.delete(submitted);
      switch (outcome.type) {
        case "done":
          return outcome;
        case "lost":
          return { value: undefined, seconds: 0 };
        case "refused":
          throw new ChainProblem(name, outcome.status, outcome.problem);
        case "wait":
          this.state.step({ name, status: "waiting" });
          await this.context.sleep({ seconds: outcome.seconds });
      }
    }
  }

  /** Starts a journaled step, whose refusal by the server is a value. */
  run<T>(
    journal: string,
    attempt: (signal: AbortSignal) => Promise<Attempted<T>>,
  ): RestatePromise<StepOutcome<T>> {
    return this.context.run<StepOutcome<T>>(
      journal,
      async () => {
        const signal = this.context.request().attemptCompletedSignal;
        const began = performance.now();
        try {
          const result = await attempt(signal);
          if (result.type !== "done") return result;
          const seconds = Math.round(performance.now() - began) / 1000;
          return { ...result, seconds };
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error;
          const { status, problem } = error;
          return { type: "refused", status, problem };
        }
      },
      STEP_RETRIES as RunOptions<StepOutcome<T>>,
    );
  }

  /**
   * Cancels the jobs of the chain: the model stops after its next step. A chain
   * that is canceled again meanwhile still cancels them; a server that does not
   * come back does not change the end of the chain.
   */
  async cancelJobs(): Promise<void> {
    while (this.#submitted.size > 0 || this.#jobs.size > 0) {
      try {
        for (const request of this.#submitted) await this.#find(request);
        const jobs = [...this.#jobs];
        await this.context.run("cancel jobs", async () => {
          const signal = this.context.request().attemptCompletedSignal;
          for (const job of jobs) await cancelJob(this.#client, job, signal);
        }, STEP_RETRIES);
        this.#jobs.clear();
      } catch (error) {
        if (error instanceof CancelledError) continue;
        if (error instanceof TerminalError) return;
        throw error;
      }
    }
  }

  /**
   * Finds the job of a request without an answer by its key: the server answers
   * with the job that it has, or with a new one, to be canceled at once.
   */
  async #find(request: StepRequest): Promise<void> {
    const outcome = await this.run(
      "find job",
      (signal) => submitJob(this.#client, request, signal),
    );
    if (outcome.type === "wait") {
      return await this.context.sleep({ seconds: outcome.seconds });
    }
    this.#submitted.delete(request);
    if (outcome.type === "done") this.#jobs.add(outcome.value);
  }

  #keyOf(step: string): string {
    return `${this.chain}/${this.context.key}/${step}`;
  }
}
