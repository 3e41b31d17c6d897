/**
 * The runtime: the only entry point to ONNX Runtime.
 *
 * A {@linkcode Runtime} is an environment of ONNX Runtime: all its sessions
 * share one thread pool, so that a vision decoder and a language model that run
 * concurrently do not compete for cores. It creates {@linkcode Session}s and
 * tensors.
 *
 * @module
 */

import type { Dtype } from "../../models/graph/dtype.ts";
import { delay } from "../async/delay.ts";
import { cString, OrtApi, type Pointer } from "./api.ts";
import type { GraphRunner } from "./graph_runner.ts";
import { DeviceMemory } from "./memory/device_memory.ts";
import { type AllocatedBytes, nativeMemory } from "./memory/native_memory.ts";
import { RuntimeError } from "../errors.ts";
import { CPU_PROVIDER, type Provider } from "./provider.ts";
import { type Binding, Session, type SessionOptions } from "./session.ts";
import { SharedWeights } from "./shared_weights.ts";
import { forbidTelemetry } from "./telemetry.ts";
import { Tensor, type TensorData } from "./tensor.ts";

/** Options of {@linkcode Runtime.open}. */
export interface RuntimeOptions {
  /** Number of threads that compute, 1 or more. */
  readonly threads: number;
  /** Provider that graphs run on; the CPU by default. */
  readonly provider?: Provider;
  /** File of the library; that of the npm package by default. */
  readonly library?: string | undefined;
  /** Bytes of the device's memory that may be used, if known. */
  readonly deviceMemoryBytes?: number | undefined;
  /**
   * The least severe messages that ONNX Runtime writes to standard error, from
   * 0, all, to 4, fatal ones; those by default, as errors are returned.
   */
  readonly logLevel?: number;
}

/** Value of `ORT_LOGGING_LEVEL_FATAL`. */
const FATAL = 4;

/** Values of `OrtDeviceAllocator` and `OrtMemTypeDefault`. */
const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;

/** The error of ONNX Runtime while another thread closes its environment. */
const STILL_CLOSING = "Only one instance of LoggingManager";

/**
 * The maximum number of attempts after that error, and the milliseconds between
 * them.
 */
const CLOSING_ATTEMPTS = 400;
const CLOSING_PAUSE_MS = 5;

/** Holds an environment of ONNX Runtime. */
export class Runtime implements GraphRunner, AsyncDisposable {
  readonly #api: OrtApi;
  readonly #environment: Pointer;
  readonly #hostMemory: Pointer;
  readonly #sessions = new Set<Session>();
  #closed = false;
  /** Provider that graphs run on. */
  readonly provider: Provider;
  /** Memory of the device; undefined for the host's. */
  readonly device: DeviceMemory | undefined;
  /** Bytes of the device's memory that may be used; undefined if unknown. */
  readonly deviceMemoryBytes: number | undefined;
  /** Number of threads that compute. */
  readonly threads: number;
  /** Version of ONNX Runtime. */
  readonly version: string;

  /**
   * Opens the library.
   *
   * @param opened An open environment, which the runtime closes.
   * @throws {RuntimeError} If the library cannot be opened.
   */
  constructor(options: RuntimeOptions, opened = openHere(options)) {
    this.provider = options.provider ?? CPU_PROVIDER;
    this.threads = options.threads;
    this.#api = opened.api;
    this.version = this.#api.version;
    this.#environment = opened.environment;
    this.#api.call("DisableTelemetryEvents", this.#environment);
    this.#hostMemory = this.#api.create(
      "CreateMemoryInfo",
      cString("Cpu"),
      DEVICE_ALLOCATOR,
      0,
      DEFAULT_MEMORY,
    );
    this.deviceMemoryBytes = options.deviceMemoryBytes;
    const { deviceMemory } = this.provider;
    this.device = deviceMemory === undefined
      ? undefined
      : new DeviceMemory(this, this.#api, deviceMemory);
  }

  /**
   * Opens the library, mostly off the event loop.
   *
   * @throws {RuntimeError} If the library cannot be opened.
   */
  static async open(options: RuntimeOptions): Promise<Runtime> {
    const { api, threading } = prepare(options);
    for (let attempt = 1;; attempt++) {
      try {
        const environment = await api.createAsync(
          ...environmentOf(threading, options),
        );
        api.release("ReleaseThreadingOptions", threading);
        return new Runtime(options, { api, environment });
      } catch (error) {
        if (!mayRetry(error, attempt)) throw error;
        await delay(CLOSING_PAUSE_MS);
      }
    }
  }

  /**
   * Number of live native objects by kind, such as `Session` or `Value`; kinds
   * without objects are omitted.
   */
  get alive(): Readonly<Record<string, number>> {
    const entries = [...this.#api.alive].filter(([, count]) => count !== 0)
      .map(([name, count]) => [name.slice("Release".length), count]);
    return Object.fromEntries(entries);
  }

  /**
   * Returns a session for a graph.
   *
   * @param model An encoded `ModelProto`. Weights may be in files under
   * `options.weightFolder`.
   * @throws {RuntimeError} If ONNX Runtime refuses the graph or its weights.
   */
  async session(
    model: Uint8Array<ArrayBuffer>,
    options: SessionOptions,
  ): Promise<Session> {
    const session = await Session.open(
      this.#api,
      this.#environment,
      model,
      { ...options, provider: options.onHost ? CPU_PROVIDER : this.provider },
      () => this.#sessions.delete(session),
    );
    this.#sessions.add(session);
    return session;
  }

  /** Returns a tensor over `data`, shared with ONNX Runtime. */
  tensor(
    data: TensorData,
    shape: readonly number[],
    dtype?: Dtype,
  ): Tensor {
    return Tensor.over(this.#api, this.#hostMemory, data, shape, dtype);
  }

  /** True if sessions can share weights: the system maps files. */
  get sharesWeights(): boolean {
    return nativeMemory !== undefined;
  }

  /**
   * Returns weights for several sessions to share; undefined if the system
   * cannot map files. Dispose of them after the sessions.
   *
   * @param root Folder that the locations of weights are relative to.
   */
  sharedWeights(root: string): SharedWeights | undefined {
    if (nativeMemory === undefined) return undefined;
    return new SharedWeights(
      this,
      this.device,
      this.#api,
      this.#hostMemory,
      nativeMemory,
      root,
    );
  }

  /**
   * Allocates `byteLength` zero bytes for state that outlives runs. Physical
   * memory is committed when it is written, if the system supports that.
   */
  allocate(byteLength: number): AllocatedBytes {
    return nativeMemory?.allocate(byteLength) ?? {
      buffer: new ArrayBuffer(byteLength),
      releasePages: () => {},
      [Symbol.dispose]: () => {},
    };
  }

  /**
   * Binds output `name` to memory that ONNX Runtime allocates during the run.
   */
  bindUnknown(binding: Binding, name: string): void {
    binding.outputTo(name, this.#hostMemory);
  }

  /** Closes every session, then the environment. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.device?.[Symbol.asyncDispose]();
    for (const session of [...this.#sessions]) {
      await session[Symbol.asyncDispose]();
    }
    this.#api.release("ReleaseMemoryInfo", this.#hostMemory);
    this.#api.release("ReleaseEnv", this.#environment);
  }
}

/** An environment, and the API that it is called through. */
interface Opened {
  readonly api: OrtApi;
  readonly environment: Pointer;
}

/** Prepares the library before an environment is opened. */
function prepare(
  { threads, library }: RuntimeOptions,
): { readonly api: OrtApi; readonly threading: Pointer } {
  const api = new OrtApi(library);
  const threading = api.create("CreateThreadingOptions");
  api.call("SetGlobalIntraOpNumThreads", threading, threads);
  forbidTelemetry();
  return { api, threading };
}

function environmentOf(threading: Pointer, { logLevel }: RuntimeOptions) {
  return [
    "CreateEnvWithGlobalThreadPools",
    logLevel ?? FATAL,
    cString("emu3"),
    threading,
  ] as const;
}

function openHere(options: RuntimeOptions): Opened {
  const { api, threading } = prepare(options);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 1;; attempt++) {
    try {
      const environment = api.create(...environmentOf(threading, options));
      api.release("ReleaseThreadingOptions", threading);
      return { api, environment };
    } catch (error) {
      if (!mayRetry(error, attempt)) throw error;
      Atomics.wait(pause, 0, 0, CLOSING_PAUSE_MS);
    }
  }
}

/**
 * Returns true if opening should be retried. All users of a process share one
 * environment. The last one to close it destroys it outside of ONNX Runtime's
 * lock, so opening it at that moment fails and must be retried
 * (`OrtEnv::Release`, onnxruntime/core/session/ort_env.cc).
 */
function mayRetry(error: unknown, attempt: number): boolean {
  return error instanceof RuntimeError &&
    error.message.includes(STILL_CLOSING) && attempt < CLOSING_ATTEMPTS;
}
