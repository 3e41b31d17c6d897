/**
 * The steps of a chain: calls of the endpoints, and pictures that are drawn as
 * children.
 *
 * @module
 */

import type {
  InvocationPromise,
  UntypedState,
  WorkflowContext,
} from "@restatedev/restate-sdk/fetch";
import type { Emu3Client } from "../emu3/emu3_client.ts";
import type { Drawn, Grid } from "../schema/codes.ts";
import type { DrawInput, DrawOutput } from "../schema/draw.ts";
import { ChainProblem, problemOf } from "./chain_problem.ts";
import type { ChainState } from "./chain_state.ts";
import { childName, startPicture } from "./child_pictures.ts";
import { drawnFrom } from "./drawn.ts";
import type { End, FanOut } from "./fan_out.ts";
import { runEach } from "./parts.ts";
import { type StepOutcome, StepRunner } from "./step_runner.ts";

/** A log-likelihood of a picture. */
export interface Likelihood {
  /** Mean of its codes; null if it is not finite. */
  readonly logprob: number | null;
  /** Sum of each row, if the body has `rows`. */
  readonly rows?: readonly (number | null)[];
}

/** The fields of an endpoint's body, beside those that a step needs. */
type Body = Readonly<Record<string, unknown>>;

/** Steps of which a few run at a time. */
export interface StepParts<T> extends Pick<FanOut<T>, "count" | "concurrency"> {
  /** Returns the name of the step of a part. */
  readonly name: (index: number) => string;
  /** Runs a part; it runs again after a crash. */
  readonly run: (index: number, signal: AbortSignal) => Promise<T>;
}

/** The steps of one chain. */
export class Steps {
  readonly #runner: StepRunner;
  #version = 1;

  /** Creates the steps of the chain named `chain`. */
  constructor(
    context: WorkflowContext<UntypedState>,
    client: Emu3Client,
    chain: string,
  ) {
    this.#runner = new StepRunner(context, client, chain);
  }

  /** Version of the chain that began: an upgrade does not change it. */
  get version(): number {
    return this.#version;
  }

  /** Key of the chain. */
  get key(): string {
    return this.#runner.context.key;
  }

  /** Status of the chain. */
  get state(): ChainState {
    return this.#runner.state;
  }

  /** Journals the version that the chain has as it begins. */
  async begin(version: number): Promise<void> {
    const { context } = this.#runner;
    this.#version = await context.run("version", () => version);
  }

  /** Returns `seed`, or one that stays the same in every attempt. */
  seed(seed: number | undefined): number {
    const { rand } = this.#runner.context;
    return seed ?? Math.floor(rand.random() * 2 ** 32);
  }

  /**
   * Draws a picture as a job, and returns its codes.
   *
   * @param body Body of `POST /v1/generate` with a seed.
   */
  async draw(
    name: string,
    body: Body & { readonly seed: number },
  ): Promise<Drawn> {
    const headers = { accept: "application/octet-stream" };
    const request = { path: "/v1/generate", body, headers };
    const { value, seconds } = await this.#runner.job(name, request);
    const drawn = drawnFrom(value, body.seed);
    this.state.grid(name, drawn.grid);
    this.state.step({ name, status: "succeeded", seconds, grid: name });
    return drawn;
  }

  /** Answers a question about a picture, by default for its description. */
  async caption(
    name: string,
    body: Body & { readonly grid: Grid },
  ): Promise<string> {
    const { value: { text }, seconds } = await this.#runner.call<
      { text: string }
    >(
      name,
      { path: "/v1/caption", body },
      ({ text }) => ({ text: `${text}` }),
    );
    this.state.step({ name, status: "succeeded", seconds, text });
    return text;
  }

  /** Returns the log-likelihood of a picture given a prompt. */
  async score(
    name: string,
    body: Body & { readonly grid: Grid },
  ): Promise<Likelihood> {
    const { value, seconds } = await this.#runner.call<Likelihood>(
      name,
      { path: "/v1/score", body },
      ({ logprob_per_token: logprob, rows }) =>
        ({ logprob, ...rows !== undefined && { rows } }) as Likelihood,
    );
    this.state.step({ name, status: "succeeded", seconds });
    return value;
  }

  /** Encodes a picture, and returns its codes. */
  async tokenize(
    name: string,
    body: Body,
  ): Promise<Grid> {
    const { value, seconds } = await this.#runner.call<Grid>(
      name,
      { path: "/v1/tokenize", body },
      ({ height, width, codes }) => ({ height, width, codes }) as Grid,
    );
    this.state.grid(name, value);
    this.state.step({ name, status: "succeeded", seconds, grid: name });
    return value;
  }

  /** Keeps the codes that the chain was given, as a step. */
  given(name: string, grid: Grid): void {
    this.state.grid(name, grid);
    this.state.step({ name, status: "succeeded", grid: name });
  }

  /**
   * Draws pictures as children, a few at a time, and returns their ends in the
   * order of `inputs`: a failed picture does not end the chain.
   */
  async drawEach(
    inputs: readonly DrawInput[],
    concurrency: number,
  ): Promise<readonly End<DrawOutput>[]> {
    return await this.#pictures(inputs, { concurrency });
  }

  /**
   * Draws pictures as children, and returns their outputs in the order of
   * `inputs`.
   *
   * @throws {ChainProblem} If one of them fails; the others are canceled.
   */
  async drawAll(inputs: readonly DrawInput[]): Promise<readonly DrawOutput[]> {
    const running = new Map<number, InvocationPromise<DrawOutput>>();
    const ends = await this.#pictures(inputs, {
      concurrency: inputs.length,
      started: (index, picture) => running.set(index, picture),
      ended: async ({ index, failure }) => {
        running.delete(index);
        if (failure === undefined) return;
        const { context } = this.#runner;
        for (const picture of running.values()) {
          context.cancel(await picture.invocationId);
        }
        const problem = problemOf(failure);
        throw new ChainProblem(childName(index), failure.code, problem);
      },
    });
    return ends.map(({ value }) => value!);
  }

  /**
   * Runs parts as steps, and returns their values.
   *
   * @throws {ChainProblem} If one of them is refused.
   */
  async runParts<T>(
    { run, ...parts }: StepParts<T>,
  ): Promise<readonly T[]> {
    const ends = await runEach<StepOutcome<T>>(this.state, {
      ...parts,
      start: (index) =>
        this.#runner.run(parts.name(index), async (signal) => ({
          type: "done",
          value: await run(index, signal),
        })),
      ended: ({ index, value, failure }) => {
        if (failure !== undefined) throw failure;
        if (value.type !== "refused") return;
        const { status, problem } = value;
        throw new ChainProblem(parts.name(index), status, problem);
      },
    });
    return ends.flatMap(({ value }) =>
      value?.type === "done" ? [value.value] : []
    );
  }

  /** Cancels the jobs of the chain: the model stops after its next step. */
  async cancelJobs(): Promise<void> {
    await this.#runner.cancelJobs();
  }

  async #pictures(
    inputs: readonly DrawInput[],
    { concurrency, started, ended }: {
      readonly concurrency: number;
      readonly started?: (
        index: number,
        picture: InvocationPromise<DrawOutput>,
      ) => void;
      readonly ended?: FanOut<DrawOutput>["ended"];
    },
  ): Promise<readonly End<DrawOutput>[]> {
    const { context, chain } = this.#runner;
    return await runEach<DrawOutput>(this.state, {
      count: inputs.length,
      concurrency,
      name: childName,
      start: (index) => {
        const picture = startPicture(context, chain, index, inputs[index]!);
        started?.(index, picture);
        return picture;
      },
      result: ({ caption }, index) => ({
        grid: childName(index),
        ...caption !== undefined && { text: caption },
      }),
      ...ended && { ended },
    });
  }
}
