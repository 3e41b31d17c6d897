/**
 * The sessions of a tuning run, loaded on first use: one for each kind of
 * graph, and for layers one for each number of blocks of queries.
 *
 * @module
 */

import type { LanguageConfig } from "../../../models/config/language_config.ts";
import type { BuiltGraph } from "../../../models/graph/built_graph.ts";
import type { Dtype } from "../../../models/graph/dtype.ts";
import {
  embeddingGradientGraph,
  embeddingGraph,
} from "../../../models/tuning/embedding.ts";
import { clearGraph } from "../../../models/tuning/clear.ts";
import {
  lossGradientGraph,
  type LossGradientOptions,
  lossGraph,
  type LossOptions,
} from "../../../models/tuning/head.ts";
import {
  backwardLayerGraph,
  forwardLayerGraph,
  type LayerOptions,
} from "../../../models/tuning/layer.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Session } from "../../runtime/session.ts";

/** Options of a layer's graphs that stay the same in a run. */
export type FixedLayerOptions = Omit<LayerOptions, "blocks" | "keeps">;

/** Loads and holds the sessions of a run. */
export class TuningSessions implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #config: LanguageConfig;
  readonly #oneThread: boolean;
  readonly #sessions = new Map<string, Promise<Session>>();

  /**
   * Creates the store; no session is loaded yet.
   *
   * @param oneThread True to compute each run on a thread, beside others.
   */
  constructor(runtime: Runtime, config: LanguageConfig, oneThread: boolean) {
    this.#runtime = runtime;
    this.#config = config;
    this.#oneThread = oneThread;
  }

  /**
   * Returns a session of a layer's pass for sequences of `length` tokens.
   *
   * @throws {RuntimeError} If ONNX Runtime refuses the graph.
   */
  layer(
    pass: "forward" | "backward",
    fixed: FixedLayerOptions,
    { length, keeps }: { readonly length: number; readonly keeps: boolean },
  ): Promise<Session> {
    const blocks = Math.ceil(length / fixed.blockLength);
    const options = { ...fixed, blocks, keeps };
    const build = pass === "forward" ? forwardLayerGraph : backwardLayerGraph;
    return this.#once(
      `${pass} ${JSON.stringify(options)}`,
      () => build(this.#config, options),
    );
  }

  /** Returns the session of the loss. */
  loss(options: LossOptions): Promise<Session> {
    return this.#once(
      `loss ${JSON.stringify(options)}`,
      () => lossGraph(this.#config, options),
    );
  }

  /** Returns the session of the loss and its gradients. */
  lossGradient(options: LossGradientOptions): Promise<Session> {
    return this.#once(
      `loss gradient ${JSON.stringify(options)}`,
      () => lossGradientGraph(this.#config, options),
    );
  }

  /** Returns the session of the lookup in a table of `dtype`. */
  embedding(computeDtype: Dtype, dtype: Dtype): Promise<Session> {
    return this.#once(
      `embedding ${dtype}`,
      () => embeddingGraph({ computeDtype, dtype }),
    );
  }

  /** Returns the session of the table's gradient. */
  embeddingGradient(computeDtype: Dtype): Promise<Session> {
    return this.#once(
      "embedding gradient",
      () => embeddingGradientGraph(computeDtype),
    );
  }

  /** Returns the session of `y = 0` in the shape of `x`. */
  clearing(dtype: Dtype): Promise<Session> {
    return this.#once(`clear ${dtype}`, () => clearGraph(dtype));
  }

  /** Closes every session. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of await Promise.allSettled(this.#sessions.values())) {
      if (opened.status === "rejected") continue;
      await opened.value[Symbol.asyncDispose]();
    }
    this.#sessions.clear();
  }

  #once(name: string, build: () => BuiltGraph): Promise<Session> {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = this.#runtime.session(build().model, {
        weightFolder: "/",
        prepack: false,
        oneThread: this.#oneThread,
      });
      this.#sessions.set(name, session);
    }
    return session;
  }
}
