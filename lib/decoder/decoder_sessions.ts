/**
 * The sessions of one decoder: one for each arrangement of rows, loaded on
 * first use, and one for each head. They share their weights. Large decoders
 * are divided into parts, a session each, that load side by side.
 *
 * @module
 */

import pLimit from "p-limit";
import type { AdapterStackShape } from "../../models/adapter_rows.ts";
import type { Arrangement } from "../../models/attention.ts";
import type { CacheScales } from "../../models/cache_scales.ts";
import {
  decoderGraph,
  headGraph,
  type LayerRange,
} from "../../models/decoder.ts";
import { DTYPE_BYTES, elementCount } from "../../models/graph/dtype.ts";
import type { BuiltGraph } from "../../models/graph/built_graph.ts";
import type { GraphOptions } from "../../models/graph/graph_options.ts";
import type {
  Rows,
  StoredTensor,
  Weights,
} from "../../models/graph/weights.ts";
import { rotaryAngles } from "../../models/rotary.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { GraphSession } from "../runtime/graph_session.ts";
import type { CacheDtype } from "../runtime/provider.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Session } from "../runtime/session.ts";
import type { SharedWeights } from "../runtime/shared_weights.ts";
import type { Tensor } from "../runtime/tensor.ts";
import type { AdapterStack } from "./adapter_stack.ts";
import { defaultParts, layerParts } from "./layer_parts.ts";
import { SessionChain } from "./session_chain.ts";

/** Options of the graphs of a decoder. */
export interface DecoderSessionsOptions {
  /** Number of positions of the cache, T. */
  readonly positions: number;
  /** Type of the cache. */
  readonly cacheDtype: CacheDtype;
  /** Scales of an int8 cache; undefined for other types. */
  readonly cacheScales?: CacheScales | undefined;
  /** Adapters that rows may have; none by default. */
  readonly adapters?: Pick<AdapterStack, "shape" | "constants"> | undefined;
  /**
   * Number of parts that the layers are divided into, which are loaded side by
   * side; one by default, or one for each thread if packing takes long.
   */
  readonly parts?: number | undefined;
}

/**
 * The size of weights up to which they are packed for kernels, which makes
 * steps 1.7 times as fast and costs a copy; larger ones stay mapped. Quantized
 * weights are always packed: unpacked, a step takes hundreds of times as long.
 */
const PACKED_LIMIT_BYTES = 2 ** 30;

/** Loads and holds the sessions of a decoder, by arrangement. */
export class DecoderSessions implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #checkpoint: LanguageCheckpoint;
  readonly #options: Omit<DecoderSessionsOptions, "adapters" | "parts">;
  readonly #adapters: DecoderSessionsOptions["adapters"];
  readonly #shared: SharedWeights | undefined;
  /** Layers of each part. */
  readonly #layers: readonly LayerRange[];
  /** True once an arrangement in parts has been loaded. */
  #packed = false;
  readonly #sessions = new Map<string, Promise<GraphSession>>();
  /** Graphs that are built but not loaded. */
  readonly #prepared = new Map<string, readonly BuiltGraph[]>();

  /** Creates the store; no session is loaded yet. */
  constructor(
    runtime: Runtime,
    checkpoint: LanguageCheckpoint,
    { adapters, parts, ...options }: DecoderSessionsOptions,
  ) {
    this.#runtime = runtime;
    this.#checkpoint = checkpoint;
    this.#options = options;
    this.#adapters = adapters;
    this.#shared = runtime.sharedWeights(checkpoint.weightFolder);
    const most = parts ?? defaultParts(runtime, checkpoint);
    this.#layers = layerParts(checkpoint.config.layers, most);
  }

  /**
   * Returns the decoder session for `arrangement`.
   *
   * @param adapted True if rows may have adapters.
   * @throws {CheckpointError} If a weight is missing or has another shape.
   * @throws {RuntimeError} If ONNX Runtime refuses the graph.
   */
  decoder(arrangement: Arrangement, adapted = false): Promise<GraphSession> {
    const name = JSON.stringify(arrangement);
    if (adapted) {
      return this.#once(
        `adapted ${name}`,
        () => this.#build(arrangement, this.#adapters?.shape),
        this.#adapters?.constants(arrangement.type),
      );
    }
    return this.#once(name, () => {
      const built = this.#prepared.get(name);
      this.#prepared.delete(name);
      return built ?? this.#build(arrangement);
    });
  }

  /**
   * Builds the graph for `arrangement` ahead of its use; throws as `decoder`
   * does.
   */
  prepare(arrangement: Arrangement): void {
    const name = JSON.stringify(arrangement);
    this.#prepared.set(name, this.#build(arrangement));
  }

  /**
   * Returns the session of the head that scores the tokens of `rows`; throws as
   * `decoder` does.
   *
   * @param own Matrix of an adapter's own head; that of the checkpoint by
   * default.
   */
  head(rows: Rows, own?: StoredTensor): Promise<GraphSession> {
    const place = own === undefined ? "" : ` ${own.location}@${own.offset}`;
    return this.#once(`head ${rows.start}+${rows.count}${place}`, () => {
      const { config, weights } = this.#checkpoint;
      const options = { ...this.#graphOptions(), rows };
      if (own === undefined) return [headGraph(config, weights, options)];
      const untied = { ...config, tiedEmbeddings: false };
      return [headGraph(untied, onlyWeight(own), options)];
    });
  }

  /** Closes every session, then frees the weights. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of await Promise.allSettled(this.#sessions.values())) {
      if (opened.status === "rejected") continue;
      await opened.value[Symbol.asyncDispose]();
    }
    this.#shared?.[Symbol.dispose]();
  }

  #build(
    arrangement: Arrangement,
    adapters?: AdapterStackShape,
  ): readonly BuiltGraph[] {
    const { config, weights } = this.#checkpoint;
    const angles = rotaryAngles(config, this.#options.positions);
    return this.#layers.map((layers) =>
      decoderGraph(config, weights, {
        ...this.#graphOptions(),
        ...this.#options,
        arrangement,
        adapters,
        angles,
        layers,
      })
    );
  }

  #once(
    name: string,
    build: () => readonly BuiltGraph[],
    tensors?: ReadonlyMap<string, Tensor>,
  ): Promise<GraphSession> {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = this.#load(build, tensors);
      this.#sessions.set(name, session);
    }
    return session;
  }

  // Asynchronous so that an error of `build` is a rejection.
  async #load(
    build: () => readonly BuiltGraph[],
    tensors?: ReadonlyMap<string, Tensor>,
  ): Promise<GraphSession> {
    const graphs = build();
    const sessions = await this.#loadParts(graphs, tensors);
    if (sessions.length === 1) return sessions[0]!;
    return new SessionChain(
      this.#runtime,
      sessions.map((session, i) => ({ ...graphs[i]!, session })),
    );
  }

  /**
   * Loads parts side by side. A later arrangement, whose weights are packed
   * again only to be compared, loads one after the other: that takes less
   * memory, and the first requests already run.
   */
  async #loadParts(
    graphs: readonly BuiltGraph[],
    tensors: ReadonlyMap<string, Tensor> | undefined,
  ): Promise<readonly Session[]> {
    await using opened = new AsyncDisposableStack();
    const limit = pLimit(this.#packed ? 1 : graphs.length);
    this.#packed ||= graphs.length > 1;
    const loaded = await Promise.allSettled(
      graphs.map((graph, part) =>
        limit(async () =>
          opened.use(await this.#loadPart(graph, part, tensors))
        )
      ),
    );
    const sessions: Session[] = [];
    for (const part of loaded) {
      if (part.status === "rejected") throw part.reason;
      sessions.push(part.value);
    }
    opened.move();
    return sessions;
  }

  async #loadPart(
    { model, supplied }: BuiltGraph,
    part: number,
    tensors: ReadonlyMap<string, Tensor> | undefined,
  ): Promise<Session> {
    const { weightFolder, storedDtype, codeBits } = this.#checkpoint;
    if (this.#shared === undefined) {
      // Without sharing, a weight that is cast is copied in any case. No kernel
      // takes quantized codes as they are stored.
      const prepack = codeBits !== undefined ||
        storedDtype !== this.#runtime.provider.computeDtype;
      return await this.#runtime.session(model, { weightFolder, prepack });
    }
    return await this.#runtime.session(model, {
      weightFolder,
      // On a device, packing would make one copy for each session.
      prepack: this.#runtime.device === undefined && worthPacking(supplied),
      supply: { weights: this.#shared, supplied, part, tensors },
    });
  }

  #graphOptions(): GraphOptions {
    const { computeDtype, int8Activations, transposed } =
      this.#runtime.provider;
    return {
      computeDtype,
      transposed,
      // A device copies the table in any case, and may not support its type.
      castTables: this.#runtime.device !== undefined,
      wholeActivations: !int8Activations,
      supplied: this.#shared !== undefined,
    };
  }
}

/** Returns the weights of a graph that reads one matrix alone. */
function onlyWeight(stored: StoredTensor): Weights {
  return { find: () => stored, findQuantized: () => undefined };
}

function worthPacking(supplied: BuiltGraph["supplied"]): boolean {
  const bytes = supplied.reduce(
    (sum, { dtype, shape }) => sum + elementCount(shape) * DTYPE_BYTES[dtype],
    0,
  );
  return bytes <= PACKED_LIMIT_BYTES ||
    supplied.some(({ dtype }) => dtype === "uint8");
}
