/**
 * The sessions of a vision tokenizer, opened on first use.
 *
 * Each graph has one session, and another for small pictures if its
 * convolutions differ; on a device that prepares them for the size of a
 * picture, each of these has one for each of the last sizes.
 *
 * @module
 */

import type { VisionConfig } from "../../models/config/vision_config.ts";
import type { BuiltGraph } from "../../models/graph/built_graph.ts";
import type { GraphOptions } from "../../models/graph/graph_options.ts";
import type { Weights } from "../../models/graph/weights.ts";
import { winogradFor } from "../../models/vision/convolution.ts";
import type { PixelSize } from "../image/image.ts";
import type { VisionCheckpoint } from "../loading/checkpoint.ts";
import { CPU_PROVIDER } from "../runtime/provider.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Session } from "../runtime/session.ts";
import { SizedSessions } from "./sized_sessions.ts";

/** A function that builds a graph. */
export type GraphBuilder = (
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
) => BuiltGraph;

/**
 * The maximum number of sessions of a graph on a device that prepares
 * convolutions for each size of picture. Each has a copy of the weights.
 */
const MAX_SIZES = 3;

/** Opens and holds the sessions of a vision tokenizer. */
export class VisionSessions implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #checkpoint: VisionCheckpoint;
  readonly #chooseWinograd: typeof winogradFor;
  readonly #direct = new Map<GraphBuilder, SizedSessions<Session>>();
  readonly #winograd = new Map<GraphBuilder, SizedSessions<Session>>();

  /**
   * Creates the store; no session is open yet.
   *
   * @param chooseWinograd Chooses the convolutions that use Winograd's algorithm
   * on a CPU.
   */
  constructor(
    runtime: Runtime,
    checkpoint: VisionCheckpoint,
    chooseWinograd: typeof winogradFor = winogradFor,
  ) {
    this.#runtime = runtime;
    this.#checkpoint = checkpoint;
    this.#chooseWinograd = chooseWinograd;
  }

  /**
   * Returns a session of a graph, for pictures of a size if it matters; without
   * a size, the one of large pictures.
   */
  get(builder: GraphBuilder, size?: PixelSize): Promise<Session> {
    const { preparesShapes } = this.#runtime.provider;
    const winograd = this.onHost
      ? this.#chooseWinograd(this.#checkpoint.config, size)
      : undefined;
    const store = winograd === undefined ? this.#direct : this.#winograd;
    let sessions = store.get(builder);
    if (sessions === undefined) {
      const limit = preparesShapes ? MAX_SIZES : 1;
      sessions = new SizedSessions(() => this.#open(builder, winograd), limit);
      store.set(builder, sessions);
    }
    return sessions.get(size && `${size.height} × ${size.width}`);
  }

  /** True if convolutions run on the CPU. */
  get onHost(): boolean {
    const { name, convolves } = this.#runtime.provider;
    return name === CPU_PROVIDER.name || !convolves;
  }

  async #open(
    builder: GraphBuilder,
    winograd: GraphOptions["winograd"],
  ): Promise<Session> {
    const { config, weights, weightFolder } = this.#checkpoint;
    const { symmetricPads } = this.#runtime.provider;
    const { model } = builder(config, weights, {
      computeDtype: "float32",
      symmetricPads,
      winograd,
    });
    return await this.#runtime.session(model, {
      weightFolder,
      prepack: false,
      shrink: true,
      // On a CPU, joined operators are no faster than these, and folding would
      // store the transforms of Winograd's filters.
      optimize: !this.onHost,
      onHost: this.onHost,
    });
  }

  /** Closes all sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of [this.#direct, this.#winograd]) {
      for (const sessions of store.values()) {
        await sessions[Symbol.asyncDispose]();
      }
      store.clear();
    }
  }
}
