/**
 * The session: a loaded graph, and the bindings of its inputs and outputs.
 *
 * Runs do not block the event loop. Aborting the signal stops a run after the
 * current operator.
 *
 * @module
 */

import type { SuppliedWeight } from "../../models/graph/built_graph.ts";
import { RuntimeError } from "../errors.ts";
import { cString, type OrtApi, type Pointer } from "./api.ts";
import type { GraphBinding, GraphSession } from "./graph_session.ts";
import { copyOutputs, type OutputCopy } from "./outputs.ts";
import type { Provider } from "./provider.ts";
import { registerProvider } from "./register_provider.ts";
import type { Tensor } from "./tensor.ts";

/** A store of weights that several sessions share. */
export interface WeightStore {
  /**
   * Returns the container of packed weights that sessions of a part share. Only
   * one session at a time packs into a container.
   */
  packed(part: number): Pointer;
  /**
   * Adds `weights` to the options of a session.
   *
   * @throws {RuntimeError} If a file cannot be mapped.
   */
  supply(options: Pointer, weights: readonly SuppliedWeight[]): Promise<void>;
  /** Passes a tensor to the session that `options` will create. */
  pass(options: Pointer, name: string, tensor: Tensor): void;
  /** Reads weights before a session needs them, in its order. */
  readAhead(
    weights: readonly SuppliedWeight[],
    signal: AbortSignal,
  ): Promise<void>;
  /** Releases the file pages that loading has read. */
  releasePages(): void;
}

/** Options of a session. */
export interface SessionOptions {
  /** Folder that the locations of external weights are relative to. */
  readonly weightFolder: string;
  /**
   * True if kernels may pack weights for speed, which copies them. Otherwise
   * weights of the computing type stay mapped from their file.
   */
  readonly prepack: boolean;
  /**
   * True to release memory after each run, for graphs whose shapes vary between
   * runs.
   */
  readonly shrink?: boolean;
  /**
   * False to run the operators of the graph as they are; by default ONNX Runtime
   * looks for some that it can join, which takes most of the time of opening.
   */
  readonly optimize?: boolean;
  /** True to run on the CPU, whatever the provider. */
  readonly onHost?: boolean;
  /** True to compute each run on a thread, beside other runs. */
  readonly oneThread?: boolean;
  /** Weights that are passed to the session instead of being read by it. */
  readonly supply?: {
    /** Store of the weights. */
    readonly weights: WeightStore;
    /** Weights to pass. */
    readonly supplied: readonly SuppliedWeight[];
    /** Part of the model that the session computes; 0 by default. */
    readonly part?: number | undefined;
    /** Other tensors to pass, by name, which must outlive the session. */
    readonly tensors?: ReadonlyMap<string, Tensor> | undefined;
  };
}

/**
 * Values of `ORT_DISABLE_ALL`, of `ORT_ENABLE_EXTENDED`, and of
 * `ORT_ENABLE_ALL`, which also packs weights.
 */
const OPTIMIZE_NOTHING = 0;
const OPTIMIZE_EXTENDED = 2;
const OPTIMIZE_ALL = 99;

/** Runs a loaded graph. */
export class Session implements GraphSession {
  readonly #api: OrtApi;
  readonly #session: Pointer;
  /** Arenas that are shrunk after each run; undefined for none. */
  readonly #shrink: string | undefined;
  readonly #onClose: () => void;
  readonly #runs = new Set<Promise<void>>();
  readonly #bindings = new Set<Binding>();
  #closed = false;

  private constructor(
    api: OrtApi,
    session: Pointer,
    shrink: string | undefined,
    onClose: () => void,
  ) {
    this.#api = api;
    this.#session = session;
    this.#shrink = shrink;
    this.#onClose = onClose;
  }

  /** Loads a graph; use `Runtime.session` instead. */
  static async open(
    api: OrtApi,
    environment: Pointer,
    model: Uint8Array<ArrayBuffer>,
    options: SessionOptions & { readonly provider: Provider },
    onClose: () => void,
  ): Promise<Session> {
    const native = api.create("CreateSessionOptions");
    try {
      configure(api, native, options);
      registerProvider(api, native, options.provider);
      const session = await create(api, environment, model, native, options);
      const shrink = options.shrink ? options.provider.arenas : undefined;
      return new Session(api, session, shrink, onClose);
    } finally {
      api.release("ReleaseSessionOptions", native);
    }
  }

  /** Returns a new set of inputs and outputs. */
  bind(): Binding {
    this.#assertOpen();
    const native = this.#api.create("CreateIoBinding", this.#session);
    const binding: Binding = new Binding(
      this.#api,
      native,
      (signal) => this.#run(native, signal),
      () => this.#bindings.delete(binding),
    );
    this.#bindings.add(binding);
    return binding;
  }

  /**
   * Returns an allocator of the memory that `info` describes; release it before
   * the session.
   */
  allocator(info: Pointer): Pointer {
    this.#assertOpen();
    return this.#api.create("CreateAllocator", this.#session, info);
  }

  /** Waits for runs in flight, then frees the graph and all bindings. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#runs);
    for (const binding of [...this.#bindings]) binding[Symbol.dispose]();
    this.#api.release("ReleaseSession", this.#session);
    this.#onClose();
  }

  async #run(binding: Pointer, signal?: AbortSignal): Promise<void> {
    this.#assertOpen();
    signal?.throwIfAborted();
    const options = this.#api.create("CreateRunOptions");
    const terminate = () => this.#api.call("RunOptionsSetTerminate", options);
    if (this.#shrink !== undefined) {
      this.#api.call(
        "AddRunConfigEntry",
        options,
        cString("memory.enable_memory_arena_shrinkage"),
        cString(this.#shrink),
      );
    }
    signal?.addEventListener("abort", terminate, { once: true });
    const run = this.#api.callAsync(
      "RunWithBinding",
      this.#session,
      options,
      binding,
    );
    this.#runs.add(run);
    try {
      await run;
    } catch (error) {
      // An abort by the caller is not a failure of the runtime.
      signal?.throwIfAborted();
      throw error;
    } finally {
      this.#runs.delete(run);
      signal?.removeEventListener("abort", terminate);
      this.#api.release("ReleaseRunOptions", options);
    }
  }

  #assertOpen(): void {
    if (this.#closed) {
      throw new RuntimeError("Cannot run graph: its session is closed");
    }
  }
}

/** Binds inputs and outputs of a session to tensors. */
export class Binding implements GraphBinding {
  readonly #api: OrtApi;
  readonly #binding: Pointer;
  readonly #start: (signal?: AbortSignal) => Promise<void>;
  readonly #onClose: () => void;
  /** Tensors by name, which must outlive the binding. */
  readonly #bound = new Map<string, Tensor>();
  readonly #names = new Map<string, Uint8Array<ArrayBuffer>>();
  #closed = false;

  /** Creates a binding; use {@linkcode Session.bind} instead. */
  constructor(
    api: OrtApi,
    binding: Pointer,
    start: (signal?: AbortSignal) => Promise<void>,
    onClose: () => void,
  ) {
    this.#api = api;
    this.#binding = binding;
    this.#start = start;
    this.#onClose = onClose;
  }

  /** Reads graph input `name` from `tensor`. */
  input(name: string, tensor: Tensor): this {
    this.#api.call("BindInput", this.#binding, this.#c(name), tensor.value);
    this.#bound.set(name, tensor);
    return this;
  }

  /** Writes graph output `name` into `tensor`, whose shape it must have. */
  output(name: string, tensor: Tensor): this {
    this.#api.call("BindOutput", this.#binding, this.#c(name), tensor.value);
    this.#bound.set(name, tensor);
    return this;
  }

  /**
   * Binds output `name` to a tensor that ONNX Runtime allocates in `memory`,
   * for shapes that are known only after a run.
   */
  outputTo(name: string, memory: Pointer): this {
    this.#api.call("BindOutputToDevice", this.#binding, this.#c(name), memory);
    return this;
  }

  /** Returns copies of the float32 outputs, in the order of their binding. */
  outputs(): OutputCopy[] {
    return copyOutputs(this.#api, this.#binding);
  }

  /**
   * Runs the graph.
   *
   * @throws {RuntimeError} If the run fails.
   * @throws The signal's reason if it aborts.
   */
  run(signal?: AbortSignal): Promise<void> {
    return this.#start(signal);
  }

  /** Frees the binding, not the tensors. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#api.release("ReleaseIoBinding", this.#binding);
    this.#bound.clear();
    this.#onClose();
  }

  #c(name: string): Uint8Array<ArrayBuffer> {
    let encoded = this.#names.get(name);
    if (encoded === undefined) {
      encoded = cString(name);
      this.#names.set(name, encoded);
    }
    return encoded;
  }
}

async function create(
  api: OrtApi,
  environment: Pointer,
  model: Uint8Array<ArrayBuffer>,
  native: Pointer,
  { supply, prepack }: SessionOptions,
): Promise<Pointer> {
  const length = BigInt(model.byteLength);
  if (supply === undefined) {
    return await api.createAsync(
      "CreateSessionFromArray",
      environment,
      model,
      length,
      native,
    );
  }
  await supply.weights.supply(native, supply.supplied);
  for (const [name, tensor] of supply.tensors ?? []) {
    supply.weights.pass(native, name, tensor);
  }
  const { weights, supplied } = supply;
  const packed = new AbortController();
  // Mapped weights are read on first access, and may be larger than memory.
  const ahead = prepack
    ? weights.readAhead(supplied, packed.signal)
    : Promise.resolve();
  try {
    return await api.createAsync(
      "CreateSessionFromArrayWithPrepackedWeightsContainer",
      environment,
      model,
      length,
      native,
      weights.packed(supply.part ?? 0),
    );
  } finally {
    packed.abort();
    await ahead;
    weights.releasePages();
  }
}

function configure(
  api: OrtApi,
  native: Pointer,
  options: SessionOptions,
): void {
  const entry = (key: string, value: string) =>
    api.call("AddSessionConfigEntry", native, cString(key), cString(value));
  const { optimize = true, prepack } = options;
  const most = prepack ? OPTIMIZE_ALL : OPTIMIZE_EXTENDED;
  const level = optimize ? most : OPTIMIZE_NOTHING;
  api.call("SetSessionGraphOptimizationLevel", native, level);
  if (options.oneThread) api.call("SetIntraOpNumThreads", native, 1);
  else api.call("DisablePerSessionThreads", native);
  // A memory pattern would reserve one block for all weights, including mapped
  // ones, which fails for a checkpoint larger than the memory.
  api.call("DisableMemPattern", native);
  entry(
    "session.model_external_initializers_file_folder_path",
    options.weightFolder,
  );
  if (!options.prepack) entry("session.disable_prepacking", "1");
}
