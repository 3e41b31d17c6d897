/**
 * The one door to ONNX Runtime.
 *
 * A {@linkcode Runtime} is the environment: one pool of threads that all its
 * sessions share, so that a vision decoder and a language model running at once
 * do not fight over cores. From it come {@linkcode Session}s and tensors.
 *
 * @module
 */

import type { Dtype } from "../../models/graph/dtype.ts";
import { cString, OrtApi, type Pointer } from "./api.ts";
import { CPU_PROVIDER, type Provider } from "./provider.ts";
import { type Binding, Session, type SessionOptions } from "./session.ts";
import { Tensor, type TensorData } from "./tensor.ts";

/** How to open a runtime. */
export interface RuntimeOptions {
  /** Threads that compute, 1 or more. */
  readonly threads: number;
  /** Where graphs run. */
  readonly provider?: Provider;
}

/** `ORT_LOGGING_LEVEL_ERROR`: what matters comes back as a status. */
const LOG_LEVEL = 3;

/** `OrtDeviceAllocator` and `OrtMemTypeDefault`. */
const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;

/** An environment of ONNX Runtime. */
export class Runtime implements AsyncDisposable {
  readonly #api: OrtApi;
  readonly #environment: Pointer;
  readonly #hostMemory: Pointer;
  readonly #sessions = new Set<Session>();
  #closed = false;
  /** Where graphs run. */
  readonly provider: Provider;
  /** Threads that compute. */
  readonly threads: number;
  /** ONNX Runtime's version. */
  readonly version: string;

  /**
   * Opens the library.
   *
   * @throws {RuntimeError} When the library cannot be opened.
   */
  constructor(options: RuntimeOptions) {
    this.provider = options.provider ?? CPU_PROVIDER;
    this.threads = options.threads;
    this.#api = new OrtApi();
    this.version = this.#api.version;
    const threading = this.#api.create("CreateThreadingOptions");
    this.#api.call("SetGlobalIntraOpNumThreads", threading, options.threads);
    this.#environment = this.#api.create(
      "CreateEnvWithGlobalThreadPools",
      LOG_LEVEL,
      cString("emu3"),
      threading,
    );
    this.#api.release("ReleaseThreadingOptions", threading);
    this.#hostMemory = this.#api.create(
      "CreateMemoryInfo",
      cString("Cpu"),
      DEVICE_ALLOCATOR,
      0,
      DEFAULT_MEMORY,
    );
  }

  /**
   * A session for a graph.
   *
   * @param model An encoded `ModelProto`. Weights may lie in files beneath
   * `options.weightFolder`.
   * @throws {RuntimeError} When ONNX Runtime refuses the graph or its weights.
   */
  async session(
    model: Uint8Array<ArrayBuffer>,
    options: SessionOptions,
  ): Promise<Session> {
    const session = await Session.open(
      this.#api,
      this.#environment,
      model,
      options,
      () => this.#sessions.delete(session),
    );
    this.#sessions.add(session);
    return session;
  }

  /** A tensor over `data`, shared with ONNX Runtime. */
  tensor(
    data: TensorData,
    shape: readonly number[],
    dtype?: Dtype,
  ): Tensor {
    return Tensor.over(this.#api, this.#hostMemory, data, shape, dtype);
  }

  /** Binds `name` to memory that ONNX Runtime takes as the run asks. */
  bindUnknown(binding: Binding, name: string): void {
    binding.outputTo(name, this.#hostMemory);
  }

  /** Closes every session, then the environment. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const session of [...this.#sessions]) {
      await session[Symbol.asyncDispose]();
    }
    this.#api.release("ReleaseMemoryInfo", this.#hostMemory);
    this.#api.release("ReleaseEnv", this.#environment);
  }
}
